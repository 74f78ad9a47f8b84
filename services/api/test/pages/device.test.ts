import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type AgentWorld, openAgentWorld } from './support/agents.ts';

let world: AgentWorld;
beforeAll(async () => {
  world = await openAgentWorld(inject('databaseUrl'));
});
afterAll(() => world.close());

const device = { via: 'device_authorization' } as const;
const atDevice = async (browser = world.createBrowser()) => ({ browser, page: await browser.open('/device') });
const type = async (userCode: string, at?: Awaited<ReturnType<typeof atDevice>>) => {
  const { browser, page } = at ?? (await atDevice());
  return { browser, page: await browser.post('/device', { ...page.hidden, user_code: userCode }) };
};

describe('a code that a person types', () => {
  test('leads by the sign-in to a page that asks without a number, however the code is written', async () => {
    const session = await world.begin(device);
    const person = await world.account();
    const code = session.userCode ?? '';
    const { browser, page: form } = await type(` ${code.replace('-', ' ').toLowerCase()} `);
    expect([form.status, form.text.includes('id="password"'), form.text.includes('203.0.113.7')]).toEqual([200, true, false]);
    const page = await browser.post('/sign-in', { ...form.hidden, email: person.email, password: person.password });
    expect([page.text.includes('203.0.113.7'), page.text.includes('name="number"'), page.text.includes(code)]).toEqual([
      true,
      false,
      false,
    ]);
    const { result, types } = await world.during(() => browser.post('/connect', { ...page.hidden, decision: 'allow' }));
    expect([result.status, types]).toEqual([200, ['session.linked', 'grant.authorized']]);
    // Used, it is a code like any other that waits for nobody.
    expect((await type(code)).page.text).toContain('not waiting for anybody');
  });

  test('is compared where its link was followed instead', async () => {
    const session = await world.begin(device);
    const { browser, page } = await world.atConnect(session);
    expect([page.text.includes(session.userCode ?? 'none'), page.text.includes('Does your device show this code?')]).toEqual([true, true]);
    expect((await world.createBrowser().open(session.path)).text).not.toContain(session.userCode ?? '');
    const wrongKind = await world.during(() => browser.post('/connect', { ...page.hidden, number: '10' }));
    expect([wrongKind.result.status, wrongKind.events]).toEqual([400, []]);
    const { types } = await world.during(() => browser.post('/connect', { ...page.hidden, decision: 'deny' }));
    expect(types).toEqual(['session.denied']);
  });

  test.each(['', 'ABC', 'AEIO-UAEI', '1234-5678', '%00', 'x'.repeat(500)])('that is none is said to be none: %s', async (typed) => {
    const { result, events } = await world.during(() => type(typed));
    expect([result.page.status, result.page.text.includes('eight letters'), events]).toEqual([400, true, []]);
  });

  test('of another platform, or that nobody made, waits for nobody', async () => {
    const other = await world.configure('elsewhere');
    const theirs = await world.begin({ ...device, platform: other });
    for (const code of [theirs.userCode ?? '', 'BBBB-BBBB']) {
      const { page } = await type(code);
      expect([page.status, page.text.includes('not waiting for anybody')]).toEqual([400, true]);
    }
  });

  test('is not guessed from one address, and the right ones of a busy house are not counted', async () => {
    const at = await atDevice();
    for (let nth = 0; nth < 12; nth += 1) {
      const { userCode } = await world.begin(device);
      expect((await type(userCode ?? '', at)).page.status).toBe(200);
    }
    const statuses: number[] = [];
    for (let nth = 0; nth < 12; nth += 1) statuses.push((await type('BBBB-BBBB', at)).page.status);
    expect(statuses.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 400));
    expect(statuses.at(-1)).toBe(429);
    const { userCode } = await world.begin(device);
    expect((await type(userCode ?? '', at)).page.text).toContain('Too many codes were wrong');
  });

  test('is taken from the own form of the page alone', async () => {
    const { userCode } = await world.begin(device);
    const { browser, page } = await atDevice();
    const form = { ...page.hidden, user_code: userCode ?? '' };
    expect((await browser.post('/device', { ...form, csrf: '' })).status).toBe(403);
    expect((await browser.post('/device', form, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await world.createBrowser().post('/device', form)).status).toBe(403);
    expect((await browser.post('/device', form, { origin: 'http://localhost:4000' })).status).toBe(200);
  });

  test('stands in no line of the log and in no event', async () => {
    const { userCode } = await world.begin(device);
    await type(userCode ?? '');
    const code = userCode ?? '';
    for (const text of [world.lines.join('\n'), await world.everything()])
      for (const spelled of [code, code.replace('-', '')]) expect(text).not.toContain(spelled);
  });
});
