import type { PlatformId } from '@grantlog/eventsourcing';
import { queueMail } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createWorld } from '../management/support/world.ts';

type World = Awaited<ReturnType<typeof createWorld>>;
let world: World;
let production: World;

beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  production = await createWorld(inject('databaseUrl'), { isDevelopment: false });
});
afterAll(async () => {
  await world.close();
  await production.close();
});

const mail = (more: Partial<Parameters<typeof queueMail>[1]> = {}) => ({
  platform: 'arlo' as PlatformId,
  account: null,
  to: 'ada@mail.example',
  subject: 'Confirm your address',
  text: 'Your code is 424242.\n\nhttps://auth.example/confirm?code=1&x=2\n',
  ...more,
});
const ask = (of: World, headers: Readonly<Record<string, string>> = {}) => of.app.inject({ url: '/mailbox', headers });

describe('the mailbox in development', () => {
  test('shows the newest mails of all platforms first, as JSON to programs', async () => {
    expect((await ask(world)).json()).toEqual({ mails: [] });
    await queueMail(world.deps.provisioning, mail());
    await queueMail(world.deps.provisioning, mail({ platform: 'along' as PlatformId, subject: 'Second' }));
    const answer = await ask(world, { accept: 'application/json' });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    expect(answer.json()).toMatchObject({
      mails: [
        { platform: 'along', subject: 'Second', state: 'due' },
        { platform: 'arlo', to: 'ada@mail.example', subject: 'Confirm your address', text: mail().text, created_at: expect.any(String) },
      ],
    });
  });

  test('shows people a page without script, with every part of a mail escaped', async () => {
    await queueMail(
      world.deps.provisioning,
      mail({ to: `"<b>x</b>"@mail.example`, subject: '<script>alert(1)</script>', text: '</p><img src=x>\njavascript:alert(1)\n' }),
    );
    const page = await ask(world, { accept: 'text/html' });
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect(page.body).not.toMatch(/<script|<img|<b>x|href="javascript/);
    expect(page.body).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page.body).toContain('Your code is 424242.<br>');
    expect(page.body).toContain('<a href="https://auth.example/confirm?code=1&amp;x=2">');
  });

  test('shows the newest fifty', async () => {
    for (let n = 0; n < 55; n += 1) await queueMail(world.deps.provisioning, mail({ subject: `Mail ${n}` }));
    const { mails } = (await ask(world)).json() as { readonly mails: readonly { readonly subject: string }[] };
    expect(mails.map(({ subject }) => subject)).toEqual(Array.from({ length: 50 }, (_, index) => `Mail ${54 - index}`));
  });

  test.each([
    ['a name that was made to resolve to loopback', { host: 'evil.example:4000' }],
    ['a name that begins like loopback', { host: 'localhost.evil.example' }],
    ['a tunnel', { host: 'localhost:4000', 'x-forwarded-host': 'abc.tunnel.example' }],
    ['a proxy', { host: 'localhost:4000', 'x-forwarded-for': '203.0.113.5' }],
    ['a proxy of RFC 7239', { host: 'localhost:4000', forwarded: 'for=203.0.113.5' }],
  ])('is not there for %s', async (_, headers) => {
    const answer = await ask(world, headers);
    expect([answer.statusCode, answer.json().error]).toEqual([404, 'not_found']);
    expect(answer.body).not.toContain('mail.example');
  });

  test.each(['192.168.1.7', '172.17.0.1', '::ffff:10.0.0.9', '2001:db8::1'])('is not there for %s, whatever Host it says', async (peer) => {
    const answer = await world.app.inject({ url: '/mailbox', remoteAddress: peer, headers: { host: 'localhost:4000' } });
    expect([answer.statusCode, answer.json().error]).toEqual([404, 'not_found']);
  });

  test.each(['::1', '::ffff:127.0.0.1', '127.0.0.1'])('is there for %s', async (peer) => {
    expect((await world.app.inject({ url: '/mailbox', remoteAddress: peer })).statusCode).toBe(200);
  });

  test.each(['localhost:4000', '127.0.0.1:4000', '[::1]:4000'])('is there at %s', async (host) => {
    expect((await ask(world, { host })).statusCode).toBe(200);
  });
});

describe('elsewhere', () => {
  test('there is no mailbox: its path is the name of a platform that is not there', async () => {
    await queueMail(production.deps.provisioning, mail());
    for (const accept of ['text/html', 'application/json', '*/*']) {
      const answer = await ask(production, { accept, host: 'localhost:4000' });
      const nowhere = await production.app.inject({ url: '/nowhere', headers: { accept } });
      expect(answer.statusCode).toBe(404);
      expect([answer.statusCode, answer.body, answer.headers['content-type']]).toEqual([
        nowhere.statusCode,
        nowhere.body,
        nowhere.headers['content-type'],
      ]);
    }
    expect(production.app.hasRoute({ method: 'GET', url: '/mailbox' })).toBe(false);
  });
});
