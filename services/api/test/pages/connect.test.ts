import { mintToken, parseToken, randomToken, uuidv7 } from '@grantlog/crypto';
import type { GrantState, SessionId } from '@grantlog/domain';
import { changeAccount, changeClient, changeEndpoint, revokeSession, sessionGrant } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { sealDecision } from '../../src/pages/authorization-request.ts';
import { openSession, sealSession } from '../../src/pages/connect-seal.ts';
import { foldGrant } from '../../src/platforms/load-parties.ts';
import { type AgentWorld, by, offeredBy, openAgentWorld } from './support/agents.ts';

let world: AgentWorld;
beforeAll(async () => {
  world = await openAgentWorld(inject('databaseUrl'));
});
afterAll(() => world.close());

type Begun = Awaited<ReturnType<AgentWorld['begin']>>;
const grantOf = async ({ id, platform }: Pick<Begun, 'id' | 'platform'>): Promise<GrantState> => {
  const grant = sessionGrant(id);
  return foldGrant(await world.deps.log.load(platform, [{ streamId: grant }]), grant);
};
/** A link to a session by somebody who knows its id and has no key of ours. */
const forged = ({ link, platform }: Begun): string => {
  const parsed = parseToken(link);
  if (parsed === null) throw new Error('not a token of ours');
  return mintToken({ ...parsed, platform, key: new Uint8Array(32), nonce: new Uint8Array(32) });
};
const answer = (at: Awaited<ReturnType<AgentWorld['atConnect']>>, fields: Readonly<Record<string, string>>) =>
  world.during(() => at.browser.post('/connect', { ...at.page.hidden, ...fields }));

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
    expect((await answer(at, { number: String(session.number) })).types).toContain('session.linked');
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
    await answer(at, { number: String(session.number) });
    await at.browser.open(session.path);
    const logged = world.lines.join('\n');
    expect(logged).toContain('/agents/connect/[redacted]');
    for (const secret of [session.link, session.link.slice(6, 40), session.sessionId, at.person.email])
      expect(logged).not.toContain(secret);
  });
});

describe('the answer', () => {
  test('with the number of the agent links session and account and opens the grant, in one commit', async () => {
    const session = await world.begin();
    const at = await world.atConnect(session);
    const { result, events, types } = await answer(at, { number: String(session.number) });
    expect(types).toEqual(['session.linked', 'grant.authorized']);
    expect(new Set(events.map(({ commitId }) => commitId)).size).toBe(1);
    expect(events.map(({ streamId }) => streamId)).toEqual([session.id, sessionGrant(session.id)]);
    expect(events[1]?.data).toMatchObject({
      flow: 'device_code',
      account: at.person.id,
      session: session.id,
      scopes: ['openid', 'read'],
      code: { redirectUri: null, redirectUriSent: false, codeChallenge: null, nonce: null },
      issue: null,
    });
    expect(events[0]?.actor).toEqual({ kind: 'account', id: at.person.id });
    expect([result.status, result.text.includes('<h1>Connected</h1>'), result.text.includes('close this page')]).toEqual([200, true, true]);
    expect(result.text).not.toContain(session.sessionId);
  });

  test('with another number ends the session and gives nothing', async () => {
    const session = await world.begin();
    const at = await world.atConnect(session);
    const { result, events, types } = await answer(at, { number: world.wrongNumber(session, at.page) });
    expect(types).toEqual(['session.denied']);
    expect(events[0]?.data).toEqual({ reason: 'wrong_number', account: at.person.id });
    expect(result.text).toContain('another number');
    expect(await grantOf(session)).toEqual({ status: 'none' });
    const second = await answer(at, { number: String(session.number) });
    expect([second.types, second.result.text.includes('another number')]).toEqual([[], true]);
  });

  test('no ends the session and gives nothing', async () => {
    const session = await world.begin();
    const at = await world.atConnect(session);
    const { result, events, types } = await answer(at, { decision: 'deny' });
    expect([types, events[0]?.data]).toEqual([['session.denied'], { reason: 'by_account', account: at.person.id }]);
    expect(result.text).toContain('Not connected');
    expect(await grantOf(session)).toEqual({ status: 'none' });
  });

  test.each([
    ['allowing without a number', { decision: 'allow' }],
    ['a number that no page has', { number: '7' }],
    ['a number and a no', { number: '10', decision: 'deny' }],
    ['nothing', {}],
    ['another word', { decision: 'perhaps' }],
  ])('is no answer: %s', async (_, fields) => {
    const session = await world.begin();
    const { result, events } = await answer(await world.atConnect(session), fields as Record<string, string>);
    expect([result.status, events]).toEqual([400, []]);
  });

  test('is shown again to who gave it, and to nobody else', async () => {
    const session = await world.begin();
    const [first, second] = [await world.atConnect(session), await world.atConnect(session)];
    await answer(first, { number: String(session.number) });
    const again = await answer(first, { number: String(session.number) });
    expect([again.types, again.result.status, again.result.text.includes('<h1>Connected</h1>')]).toEqual([[], 200, true]);
    const late = await answer(second, { number: String(session.number) });
    expect([late.types, late.result.status, late.result.text.includes('used already')]).toEqual([[], 410, true]);
    expect(late.result.text).not.toContain(first.person.email);
  });

  test('is one, of fifty clicks of several people at once', async () => {
    const session = await world.begin();
    const people = await Promise.all(Array.from({ length: 5 }, () => world.atConnect(session)));
    const numbers = offeredBy(people[0]?.page as never).map(String);
    const { types } = await world.during(() =>
      Promise.all(
        Array.from({ length: 50 }, (_, click) => {
          const at = people[click % people.length] as (typeof people)[number];
          return at.browser.post('/connect', {
            ...at.page.hidden,
            ...(click % 4 === 3 ? { decision: 'deny' } : { number: numbers[click % 3] ?? '' }),
          });
        }),
      ),
    );
    expect([['session.linked', 'grant.authorized'], ['session.denied']]).toContainEqual(types);
  });

  test.each([
    ['without its token', (hidden: Record<string, string>) => ({ ...hidden, csrf: '' }), {}, 403],
    ['from another origin', (hidden: Record<string, string>) => hidden, { origin: 'https://evil.example' }, 403],
    ['without what it is about', ({ csrf = '' }: Record<string, string>) => ({ csrf }), {}, 400],
  ])('is not taken %s', async (_, change, headers, status) => {
    const session = await world.begin();
    const { browser, page } = await world.atConnect(session);
    const { result, events } = await world.during(() =>
      browser.post('/connect', { ...change({ ...page.hidden }), number: String(session.number) }, headers),
    );
    expect([result.status, events]).toEqual([status, []]);
  });

  test('is not taken from another browser, from who has signed out, or from who signed in after', async () => {
    const session = await world.begin();
    const [at, thief] = [await world.atConnect(session), await world.atConnect(await world.begin())];
    const number = String(session.number);
    const stolen = await world.during(() =>
      thief.browser.post('/connect', { ...at.page.hidden, csrf: thief.page.hidden['csrf'] ?? '', number }),
    );
    expect([stolen.result.status, stolen.events]).toEqual([400, []]);

    const form = await at.browser.open('/sign-in');
    const { email, password } = thief.person;
    await at.browser.post('/sign-in', { ...form.hidden, email, password });
    const swapped = await answer(at, { number });
    expect([swapped.result.status, swapped.events]).toEqual([400, []]);

    const own = await world.atConnect(session);
    await own.browser.post('/sign-out', { csrf: own.page.hidden['csrf'] ?? '' });
    const out = await answer(own, { number });
    expect([out.result.status, out.events]).toEqual([400, []]);
  });

  test('is given by another account where the person says so', async () => {
    const session = await world.begin();
    const [at, other] = [await world.atConnect(session), await world.account()];
    const { result, events } = await answer(at, { decision: 'other_account' });
    expect([result.status, events, result.text.includes('id="password"'), result.text.includes(at.person.email)]).toEqual([
      200,
      [],
      true,
      false,
    ]);
    const page = await at.browser.post('/sign-in', { ...result.hidden, email: other.email, password: other.password });
    expect(page.text).toContain(other.email);
    const linked = await answer({ ...at, page }, { number: String(session.number) });
    expect(linked.events[0]?.data).toMatchObject({ account: other.id });
    // The page of the first account is nobody's any more.
    expect((await answer(at, { number: String(session.number) })).result.status).toBe(400);
  });

  test('grants nothing that the platform has taken away since the page was shown', async () => {
    const platform = await world.configure('shrinking');
    const session = await world.begin({ platform });
    const at = await world.atConnect(session);
    await world.configure('shrinking', {
      scopes: [{ name: 'openid', description: 'Know which account is yours', default: true }],
      resources: [],
    });
    const { result, events } = await world.during(
      () => at.browser.post('/connect', { ...at.page.hidden, number: String(session.number) }),
      platform,
    );
    expect([result.status, events]).toEqual([400, []]);
    expect(result.text).toContain('not allowed any more');
  });

  test('is asked for again when the agent is told elsewhere meanwhile', async () => {
    const session = await world.begin({ webhookUrl: 'https://hooks.agent.example/in' });
    const at = await world.atConnect(session);
    const { platform } = session;
    const changes = { url: 'https://elsewhere.example/in' };
    await changeEndpoint(world.deps.provisioning, by, {
      platform,
      endpoint: session.endpoint,
      isDevelopment: true,
      command: { type: 'update', changes },
    });
    const { result, events } = await answer(at, { number: String(session.number) });
    expect([result.status, events]).toEqual([409, []]);
    expect([result.text.includes('elsewhere.example'), result.text.includes('Read this page once more')]).toEqual([true, true]);
    const linked = await answer({ ...at, page: result }, { number: String(session.number) });
    expect(linked.types).toContain('session.linked');
  });

  test('is taken of an account that has ended everything before only once it has signed in again', async () => {
    const session = await world.begin();
    const at = await world.atConnect(session);
    const task = { platform: session.platform, account: at.person.id };
    await changeAccount(world.deps.provisioning, by, { ...task, command: { type: 'revokeGrants', reason: 'by_operator' } });
    const { result, events } = await answer(at, { number: String(session.number) });
    expect([result.status, events]).toEqual([400, []]);
    const again = await answer(await world.atConnect(session, at.person), { number: String(session.number) });
    expect(again.types).toEqual(['session.linked', 'grant.authorized']);
  });

  test.each([
    ['its client is disabled', { type: 'disable', reason: 'by_operator' }, { type: 'enable' }],
    ['everything of its client has been revoked', { type: 'revokeGrants', reason: 'by_operator' }, null],
  ] as const)('is not taken once %s', async (_, command, undo) => {
    const session = await world.begin();
    const at = await world.atConnect(session);
    const task = { platform: session.platform, clientId: 'unidentified-agent' };
    await changeClient(world.deps.provisioning, by, { ...task, command });
    const { result, events } = await answer(at, { number: String(session.number) });
    expect([result.status, events, result.text.includes('cannot be used any more')]).toEqual([410, [], true]);
    expect(await grantOf(session)).toEqual({ status: 'none' });
    if (undo !== null) await changeClient(world.deps.provisioning, by, { ...task, command: undo });
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
    expect(await openedAfter(async (session) => answer(await world.atConnect(session), { number: String(session.number) }))).toEqual({
      status: 410,
      title: 'This link was used already',
      asks: false,
    });
    expect(await openedAfter(async (session) => answer(await world.atConnect(session), { decision: 'deny' }))).toEqual({
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
