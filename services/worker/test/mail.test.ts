import type { PlatformId } from '@grantlog/eventsourcing';
import { claimMail, consumeOnce, recordMail } from '@grantlog/postgres';
import { UnsendableMail } from '@grantlog/provisioning';
import { describe, expect, test } from 'vitest';
import { mailDelays } from '../src/mail/mail-schedule.ts';
import { createErasure } from '../src/subscriptions/erasure.ts';
import { headerOf } from './support/mail-server.ts';
import { type OutboxRow, to, useOutbox } from './support/outbox.ts';
import { platform } from './support/world.ts';

const { scene, lines, outcomes, queue, mailer, mailServer, rows, makeDue } = useOutbox();

describe('a queued mail', () => {
  test('arrives as plain text from MAIL_FROM, under a Message-ID of its row, and its content goes', async () => {
    const server = await mailServer();
    await queue();
    await mailer(server.url).post();
    const [row] = await rows();
    const [mail] = server.received;
    expect(server.received).toHaveLength(1);
    expect(mail).toMatchObject({ from: 'no-reply@auth.example', to: [to] });
    expect(headerOf(mail, 'From')).toBe('Arlo Mail <no-reply@auth.example>');
    expect(headerOf(mail, 'To')).toBe(to);
    expect(headerOf(mail, 'Subject')).toBe('Subject-canary');
    expect(headerOf(mail, 'Message-ID')).toBe(`<arlo.${row?.id}@auth.example>`);
    expect(headerOf(mail, 'Auto-Submitted')).toBe('auto-generated');
    expect(headerOf(mail, 'Content-Type')).toMatch(/^text\/plain/);
    expect(headerOf(mail, 'X-Mailer')).toBeUndefined();
    expect(mail?.raw).toContain('Your code is 123-canary.');
    expect(row).toMatchObject({ state: 'sent', attempts: 1, sealed: null, last_error: null });
    expect(outcomes).toEqual(['sent']);
  });

  test('stands in the table in no readable form, and opens on no other row', async () => {
    await queue();
    await queue({ text: 'another' });
    const { pool } = scene.world();
    const [first, second] = await rows();
    for (const { sealed } of [first, second] as readonly OutboxRow[])
      expect(sealed?.toString('latin1')).not.toMatch(/canary|ada|example|another/);
    const whole = await pool.query<{ text: string }>('select string_agg(mail::text, $1) as text from mail', ['\n']);
    expect(whole.rows[0]?.text).not.toMatch(/canary|ada\.|mail\.example/);
    await pool.query('update mail set sealed = (select sealed from mail where id = $1) where id = $2', [first?.id, second?.id]);
    const server = await mailServer();
    await mailer(server.url).post();
    expect(server.received).toHaveLength(1);
    expect((await rows())[1]).toMatchObject({ state: 'due', last_error: 'GRANTLOG_SECRET holds no secret that opens the mail' });
  });

  test('refused for now is sent a minute later under the same Message-ID', async () => {
    const seen: (string | undefined)[] = [];
    const server = await mailServer({
      mail: (mail) => {
        seen.push(headerOf(mail, 'Message-ID'));
        return seen.length === 1 ? 451 : 250;
      },
    });
    await queue();
    const sender = mailer(server.url);
    await sender.post();
    await sender.post();
    const [waiting] = await rows();
    expect(waiting).toMatchObject({ state: 'due', attempts: 1, last_error: 'the mail server refused the mail for now' });
    expect(waiting?.due_in).toBeGreaterThan(50);
    expect(waiting?.due_in).toBeLessThan(70);
    await makeDue();
    await sender.post();
    expect(server.received).toHaveLength(1);
    expect(seen[0]).toMatch(/^<arlo\./);
    expect(seen).toEqual([seen[0], seen[0]]);
    expect(await rows()).toMatchObject([{ state: 'sent', attempts: 2, last_error: null }]);
    expect(outcomes).toEqual(['retried', 'sent']);
  });

  test('whose recipient is refused for good is given up at once, and neither log nor row says who it was', async () => {
    const server = await mailServer({ recipient: () => 550 });
    await queue();
    await mailer(server.url).post();
    expect(await rows()).toMatchObject([{ state: 'failed', attempts: 1, last_error: 'the mail server refused the recipient' }]);
    expect(outcomes).toEqual(['failed']);
    expect(lines.join('')).toContain('a mail was given up');
    expect(lines.join('')).not.toMatch(/canary|mail\.example/);
  });

  test('one bad recipient does not hold up the others', async () => {
    const server = await mailServer({ recipient: (address) => (address.startsWith('bad') ? 550 : 250) });
    for (let n = 0; n < 12; n += 1) await queue({ to: `${n % 3 === 0 ? 'bad' : 'good'}${n}@mail.example` });
    await mailer(server.url).post();
    expect(server.received).toHaveLength(8);
    expect(outcomes.toSorted()).toEqual([...Array.from({ length: 4 }, () => 'failed'), ...Array.from({ length: 8 }, () => 'sent')]);
  });

  test('is given up after the last attempt of the schedule', async () => {
    await queue();
    await scene.world().pool.query('update mail set attempts = $1', [mailDelays.length]);
    await mailer('smtp://127.0.0.1:1').post();
    expect(await rows()).toMatchObject([{ state: 'failed', attempts: 8, last_error: 'the connection to the mail server failed or broke' }]);
  });

  test('waits where the mail server is away, and the log says nothing of what is in it', async () => {
    await queue();
    await mailer('smtp://127.0.0.1:1').post();
    expect(await rows()).toMatchObject([{ state: 'due', attempts: 1, last_error: 'the connection to the mail server failed or broke' }]);
    expect(lines.join('')).not.toMatch(/canary|mail\.example/);
  });

  test('is not handed to a server elsewhere in the clear', async () => {
    const server = await mailServer();
    await queue();
    // The same server by a name that is not loopback.
    await mailer(`smtp://0.0.0.0:${server.port}`).post();
    expect(server.received).toEqual([]);
    expect(await rows()).toMatchObject([{ state: 'due', last_error: expect.stringMatching(/TLS|connection/) }]);
    await makeDue();
    await mailer(`smtp://0.0.0.0:${server.port}?requireTLS=false`).post();
    expect(server.received).toHaveLength(1);
  });

  test('has one recipient whatever the address is made of', async () => {
    const server = await mailServer();
    await queue({ to: 'ada,eve@mail.example' });
    await mailer(server.url).post();
    expect(server.received.flatMap((mail) => mail.to)).not.toContain('eve@mail.example');
  });
});

describe('queueing', () => {
  test.each([
    ['a line break in the subject', { subject: 'Hello\r\nBcc: eve@mail.example' }],
    ['a lone line feed in the subject', { subject: 'Hello\nX: y' }],
    ['a line break in the address', { to: 'ada@mail.example\r\nRCPT TO:<eve@mail.example>' }],
    ['two addresses', { to: 'ada@mail.example, eve@mail.example' }],
    ['no address', { to: 'ada' }],
    ['a subject without end', { subject: 'x'.repeat(201) }],
  ])('refuses %s without repeating it', async (_, more) => {
    const refused = queue(more);
    await expect(refused).rejects.toThrow(UnsendableMail);
    await expect(refused).rejects.not.toThrow(/example|Hello/);
    expect(await rows()).toEqual([]);
  });
});

describe('several workers', () => {
  test('send each mail once', async () => {
    const server = await mailServer();
    for (let n = 0; n < 40; n += 1) await queue({ subject: `Mail ${n}` });
    await Promise.all([mailer(server.url), mailer(server.url), mailer(server.url)].map((each) => each.post()));
    expect(server.received).toHaveLength(40);
    expect(new Set(server.received.map((mail) => headerOf(mail, 'Subject'))).size).toBe(40);
    expect((await rows()).every(({ state, attempts }) => state === 'sent' && attempts === 1)).toBe(true);
  });

  test('an attempt whose claim has passed on changes nothing', async () => {
    const { pool } = scene.world();
    await queue();
    const [first] = await claimMail(pool, { limit: 5, claimMs: 0 });
    const [second] = await claimMail(pool, { limit: 5, claimMs: 60_000 });
    expect(await claimMail(pool, { limit: 5, claimMs: 60_000 })).toEqual([]);
    if (first === undefined || second === undefined) throw new Error('nothing was claimed');
    expect([first.attempt, second.attempt]).toEqual([1, 2]);
    const failed = { kind: 'failed', error: 'fixed words' } as const;
    expect(await recordMail(pool, { ...first, outcome: failed, keepSent: false })).toBe(false);
    expect(await rows()).toMatchObject([{ state: 'due', attempts: 2 }]);
    expect(await recordMail(pool, { ...second, outcome: { kind: 'sent' }, keepSent: false })).toBe(true);
    expect(await recordMail(pool, { ...second, outcome: failed, keepSent: false })).toBe(false);
    expect(await rows()).toMatchObject([{ state: 'sent' }]);
  });
});

describe('without SMTP_URL', () => {
  test('development keeps mails, readable to whoever has the secret', async () => {
    await queue();
    await mailer(undefined, { isDevelopment: true }).post();
    expect(await rows()).toMatchObject([{ state: 'kept', sealed: expect.any(Buffer) }]);
    expect(outcomes).toEqual(['kept']);
  });

  test('production keeps them waiting, and says once in a while that it is missing', async () => {
    const sender = mailer(undefined);
    await sender.post();
    expect(lines).toEqual([]);
    await queue();
    await sender.post();
    await sender.post();
    expect(await rows()).toMatchObject([{ state: 'due', attempts: 0 }]);
    expect(lines.filter((line) => line.includes('SMTP_URL is not set'))).toHaveLength(1);
    const server = await mailServer();
    await mailer(server.url).post();
    expect(server.received).toHaveLength(1);
  });
});

test('what was sent in development stays for its mailbox', async () => {
  const server = await mailServer();
  await queue();
  await mailer(server.url, { isDevelopment: true }).post();
  expect(await rows()).toMatchObject([{ state: 'sent', sealed: expect.any(Buffer) }]);
});

test('an erased account takes its mails along, and nobody else does, not even on another platform', async () => {
  const { pool, account, append, openPlatform } = scene.world();
  const other = 'other' as PlatformId;
  await openPlatform(other);
  const [leaving, staying] = [account(), account()];
  await queue({ account: leaving });
  await mailer(undefined, { isDevelopment: true }).post();
  await queue({ account: leaving });
  await queue({ account: staying });
  await queue({ account: leaving, platform: other });
  await queue();
  await append(leaving, { type: 'account.erased', data: {} });
  const erasure = createErasure();
  await pool.query('insert into subscription (name, platform) select $1, platform from log where platform = $2', [erasure.name, platform]);
  expect((await consumeOnce(pool, [erasure])).kind).toBe('consumed');
  const left = await pool.query('select platform, account from mail order by platform, account');
  expect(left.rows).toEqual([
    { platform, account: staying },
    { platform, account: null },
    { platform: other, account: leaving },
  ]);
});
