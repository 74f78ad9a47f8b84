import { mintToken, parseToken, randomToken, uuidv7 } from '@grantlog/crypto';
import type { SessionId } from '@grantlog/domain';
import { revokeSession } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { sealDecision } from '../../src/pages/authorization-request.ts';
import { openSession, sealSession } from '../../src/pages/connect-seal.ts';
import { type AgentWorld, type Begun, by, offeredBy, openAgentWorld } from './support/agents.ts';

let world: AgentWorld;
beforeAll(async () => {
  world = await openAgentWorld(inject('databaseUrl'));
});
afterAll(() => world.close());

/** A link to a session by somebody who knows its id and has no key of ours. */
const forged = ({ link, platform }: Begun): string => {
  const parsed = parseToken(link);
  if (parsed === null) throw new Error('not a token of ours');
  return mintToken({ ...parsed, platform, key: new Uint8Array(32), nonce: new Uint8Array(32) });
};

describe('the link that an agent hands to a person', () => {
  test('uses nothing up and writes nothing by being opened, however often and by whom', async () => {
    const session = await world.begin();
    const { events } = await world.during(async () => {
      for (let time = 0; time < 3; time += 1) {
        const page = await world.createBrowser().open(session.path, { 'user-agent': 'Slackbot-LinkExpanding 1.0' });
        expect([page.status, page.text.includes('id="password"')]).toEqual([200, true]);
      }
      expect((await world.app.inject({ method: 'HEAD', url: `/agents${session.path}` })).statusCode).toBe(200);
    });
    expect(events).toEqual([]);
    const at = await world.atConnect(session);
    expect((await world.during(() => at.browser.open(session.path))).events).toEqual([]);
    expect((await world.answer(at, { number: String(session.number) })).types).toContain('session.linked');
  });

  test('leads by the sign-in to a page that says who asks, from where, where it is told, and for what', async () => {
    const session = await world.begin({ webhookUrl: 'https://hooks.agent.example:8443/in/canary-path?key=canary-query' });
    const { page, person } = await world.atConnect(session);
    const shown = [person.email, 'Nobody has verified it', '203.0.113.7', 'curl/8.9', 'hooks.agent.example:8443', 'Read your things'];
    expect([page.status, ...shown.map((words) => page.text.includes(words))]).toEqual([200, ...shown.map(() => true)]);
    expect(offeredBy(page)).toHaveLength(3);
    expect(offeredBy(page)).toContain(session.number);
    for (const hidden of ['canary', 'Change your things', session.sessionId, session.link]) expect(page.text).not.toContain(hidden);
  });

  test('tells nobody the number, the id or the agent before they have signed in', async () => {
    const session = await world.begin({ webhookUrl: 'https://hooks.agent.example/in' });
    const { text } = await world.createBrowser().open(session.path);
    for (const hidden of [session.sessionId, '203.0.113.7', 'hooks.agent.example', 'name="number"']) expect(text).not.toContain(hidden);
    expect(text).toContain('Create an account');
  });

  test('shows what an agent says of itself as text', async () => {
    const { page } = await world.atConnect(await world.begin({ userAgent: '<script>alert(1)</script>\u202etxt' }));
    expect(page.text).not.toContain('<script');
    expect(page.text).not.toContain('\u202e');
  });

  test('asks who has an account of this very browser at once', async () => {
    const { browser } = await world.atConnect(await world.begin());
    const next = await world.begin();
    const page = await browser.open(next.path);
    expect([page.status, offeredBy(page).includes(next.number)]).toEqual([200, true]);
  });

  test('lets somebody make an account on the way', async () => {
    const session = await world.begin();
    const browser = world.createBrowser();
    const form = await browser.open(session.path);
    const signUp = await browser.post('/sign-up', form.hidden);
    const person = { email: `${randomToken(8).toLowerCase()}@people.example`, name: 'Ada', password: `correct horse ${randomToken(6)}` };
    const asked = await browser.post('/sign-up', { ...signUp.hidden, ...person });
    const page = await browser.post('/sign-up/code', { ...asked.hidden, code: await world.codeMailedTo(person.email) });
    expect([page.status, page.text.includes(person.email), offeredBy(page).length]).toEqual([200, true, 3]);
    const done = await browser.post('/connect', { ...page.hidden, number: String(session.number) });
    expect([done.status, done.text.includes('<h1>Connected</h1>')]).toEqual([200, true]);
  });

  test('is none of ours when it is altered, cut, of another platform or of another kind', async () => {
    const other = await world.configure('others');
    const [session, theirs] = [await world.begin(), await world.begin({ platform: other })];
    const last = session.link.at(-1) === 'a' ? 'b' : 'a';
    const links = [
      `${session.link.slice(0, -1)}${last}`,
      session.link.slice(0, -1),
      `${session.link}.`,
      theirs.link,
      forged(session),
      session.sessionId,
      session.id,
      'x',
      '%00',
    ];
    for (const link of links) {
      const page = await world.createBrowser().open(`/connect/${link}`);
      expect([link, page.status, page.text.includes('no link of ours'), page.text.includes('id="password"')]).toEqual([
        link,
        404,
        true,
        false,
      ]);
    }
  });

  test('is not there on a platform where no agent can bring anybody in', async () => {
    const { link } = await world.begin();
    for (const path of [`/arlo/connect/${link}`, '/arlo/device'])
      expect((await world.app.inject({ method: 'GET', url: path })).statusCode).toBe(404);
  });

  test('stands in no line of the log', async () => {
    const session = await world.begin();
    const at = await world.atConnect(session);
    await world.answer(at, { number: String(session.number) });
    await at.browser.open(session.path);
    const logged = world.lines.join('\n');
    expect(logged).toContain('/agents/connect/[redacted]');
    for (const secret of [session.link, session.link.slice(6, 40), session.sessionId, at.person.email])
      expect(logged).not.toContain(secret);
  });
});

describe('a link about which nobody is asked any more', () => {
  const opened = async ({ path }: { readonly path: string }) => {
    const page = await world.createBrowser().open(path);
    return { status: page.status, title: /<h1>(.*?)<\/h1>/.exec(page.text)?.[1], asks: page.text.includes('<form') };
  };
  const openedAfter = async (before: (session: Begun) => Promise<unknown>) => {
    const session = await world.begin();
    await before(session);
    return opened(session);
  };

  test('says what became of it', async () => {
    expect(await openedAfter(async (session) => world.answer(await world.atConnect(session), { number: String(session.number) }))).toEqual({
      status: 410,
      title: 'This link was used already',
      asks: false,
    });
    expect(await openedAfter(async (session) => world.answer(await world.atConnect(session), { decision: 'deny' }))).toEqual({
      status: 410,
      title: 'This link was refused',
      asks: false,
    });
    expect(await opened(await world.beginLong())).toEqual({ status: 410, title: 'This link has run out', asks: false });
    expect(
      await openedAfter(({ id, platform }) => revokeSession(world.deps.provisioning, by, { platform, session: id, reason: 'by_operator' })),
    ).toEqual({ status: 410, title: 'This link cannot be used any more', asks: false });
  });
});

describe('what a form carries of a session', () => {
  const pending = {
    session: uuidv7(Date.now()) as SessionId,
    clientId: 'unidentified-agent',
    entry: 'link',
    browserId: 'browser',
    signIn: null,
    webhookHosts: [],
    expiresAt: 1_000,
  } as const;
  const open = (sealed: string, change: object = {}) =>
    openSession(world.deps, world.agents, { sealed, browserId: 'browser', now: 999, ...change });

  test('opens in its own browser, on its own platform and in time', () => {
    const sealed = sealSession(world.deps, world.agents, pending);
    expect(open(sealed)).toEqual(pending);
    expect(open(sealed, { browserId: 'other' })).toBeNull();
    expect(open(sealed, { now: 1_000 })).toBeNull();
    expect(openSession(world.deps, world.arlo, { sealed, browserId: 'browser', now: 999 })).toBeNull();
    expect(open(`${sealed}x`)).toBeNull();
  });

  test('is no authorization request, nor the other way round', () => {
    const decision = { request: { expiresAt: 1_000 }, browserId: 'browser', signIn: null };
    expect(open(sealDecision(world.deps, world.agents, decision as never))).toBeNull();
  });
});
