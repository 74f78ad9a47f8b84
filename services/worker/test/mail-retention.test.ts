import { claimMail, deleteOldMail, recordMail } from '@grantlog/postgres';
import { describe, expect, test } from 'vitest';
import { headerOf } from './support/mail-server.ts';
import { useOutbox } from './support/outbox.ts';

const { scene, lines, outcomes, queue, mailer, mailServer, rows, makeDue } = useOutbox();

describe('a mail that still waits five days after it was queued', () => {
  const age = (days: number) =>
    scene
      .world()
      .pool.query(`update mail set created_at = now() - make_interval(days => $1) where created_at > now() - interval '1 hour'`, [days]);
  const gaveUp = () => lines.filter((line) => line.includes('mails were given up'));

  test('is given up without a mail server, with one log line that holds nothing of it, and counted', async () => {
    for (const days of [6, 6, 4]) {
      await queue();
      await age(days);
    }
    const sender = mailer(undefined);
    await sender.post();
    expect((await rows()).map(({ state, last_error }) => [state, last_error])).toEqual([
      ['failed', 'it waited too long'],
      ['failed', 'it waited too long'],
      ['due', null],
    ]);
    expect(outcomes).toEqual(['expired', 'expired']);
    expect(gaveUp()).toHaveLength(1);
    expect(gaveUp()[0]).toMatch(/"mails":2,"days":5/);
    expect(lines.join('')).not.toMatch(/canary|mail\.example/);
  });

  test('is given up before SMTP_URL, set at last, would send it; the newer ones are sent', async () => {
    await queue({ subject: 'Old' });
    await age(6);
    await queue({ subject: 'New' });
    const server = await mailServer();
    await mailer(server.url).post();
    expect(server.received.map((mail) => headerOf(mail, 'Subject'))).toEqual(['New']);
    expect((await rows()).map(({ state }) => state)).toEqual(['failed', 'sent']);
    expect(outcomes).toEqual(['expired', 'sent']);
  });

  test('is left to whoever is at it, and given up once their claim has run out', async () => {
    const { pool } = scene.world();
    await queue();
    const [claimed] = await claimMail(pool, { limit: 1, claimMs: 60_000 });
    await age(6);
    await mailer(undefined).post();
    expect(await rows()).toMatchObject([{ state: 'due', attempts: 1 }]);
    await makeDue();
    await mailer(undefined).post();
    expect(await rows()).toMatchObject([{ state: 'failed', attempts: 1 }]);
    if (claimed === undefined) throw new Error('nothing was claimed');
    expect(await recordMail(pool, { ...claimed, outcome: { kind: 'sent' }, keepSent: false })).toBe(false);
  });

  test('is counted once by any number of workers', async () => {
    for (let n = 0; n < 20; n += 1) await queue();
    await age(6);
    await Promise.all([mailer(undefined), mailer(undefined), mailer(undefined)].map((each) => each.post()));
    expect(outcomes).toEqual(Array.from({ length: 20 }, () => 'expired'));
  });

  test('is kept in development, which gives up nothing', async () => {
    await queue();
    await age(6);
    await mailer(undefined, { isDevelopment: true }).post();
    expect(await rows()).toMatchObject([{ state: 'kept' }]);
  });
});

test('finished mails go after 30 days, kept ones after 7, waiting ones not before they are given up', async () => {
  const { pool } = scene.world();
  const ages: readonly (readonly [string, number])[] = [
    ['sent', 31],
    ['sent', 29],
    ['failed', 31],
    ['failed', 29],
    ['kept', 8],
    ['kept', 6],
  ];
  for (const [state, days] of [...ages, ['due', 400] as const]) {
    await queue();
    await pool.query(
      `update mail set state = $1, created_at = now() - make_interval(days => $2), due_at = now() - make_interval(days => $2),
         last_error = $1 || ' ' || $2, finished_at = case when $1 <> 'due' then now() - make_interval(days => $2) end
       where last_error is null`,
      [state, days],
    );
  }
  expect(await deleteOldMail(pool, { finished: 30, kept: 7 })).toBe(3);
  expect((await rows()).map((row) => row.last_error).toSorted()).toEqual(['due 400', 'failed 29', 'kept 6', 'sent 29']);
});
