import { execute, type Loaded } from '@grantlog/eventsourcing';
import { changeAccount, changeClient, commitOn, sessionGrant } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type AgentWorld, by, offeredBy, openAgentWorld } from './support/agents.ts';

let world: AgentWorld;
beforeAll(async () => {
  world = await openAgentWorld(inject('databaseUrl'));
});
afterAll(() => world.close());

describe('the answer', () => {
  test('with the number of the agent links session and account and opens the grant, in one commit', async () => {
    const session = await world.begin();
    const at = await world.atConnect(session);
    const { result, events, types } = await world.answer(at, { number: String(session.number) });
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
    const { result, events, types } = await world.answer(at, { number: world.wrongNumber(session, at.page) });
    expect(types).toEqual(['session.denied']);
    expect(events[0]?.data).toEqual({ reason: 'wrong_number', account: at.person.id });
    expect(result.text).toContain('another number');
    expect(await world.grantOf(session)).toEqual({ status: 'none' });
    const second = await world.answer(at, { number: String(session.number) });
    expect([second.types, second.result.text.includes('another number')]).toEqual([[], true]);
  });

  test('no ends the session and gives nothing', async () => {
    const session = await world.begin();
    const at = await world.atConnect(session);
    const { result, events, types } = await world.answer(at, { decision: 'deny' });
    expect([types, events[0]?.data]).toEqual([['session.denied'], { reason: 'by_account', account: at.person.id }]);
    expect(result.text).toContain('Not connected');
    expect(await world.grantOf(session)).toEqual({ status: 'none' });
  });

  test.each([
    ['allowing without a number', { decision: 'allow' }],
    ['a number that no page has', { number: '7' }],
    ['a number and a no', { number: '10', decision: 'deny' }],
    ['nothing', {}],
    ['another word', { decision: 'perhaps' }],
  ])('is no answer: %s', async (_, fields) => {
    const session = await world.begin();
    const { result, events } = await world.answer(await world.atConnect(session), fields as Record<string, string>);
    expect([result.status, events]).toEqual([400, []]);
  });

  test('is shown again to who gave it, and to nobody else', async () => {
    const session = await world.begin();
    const [first, second] = [await world.atConnect(session), await world.atConnect(session)];
    await world.answer(first, { number: String(session.number) });
    const again = await world.answer(first, { number: String(session.number) });
    expect([again.types, again.result.status, again.result.text.includes('<h1>Connected</h1>')]).toEqual([[], 200, true]);
    const late = await world.answer(second, { number: String(session.number) });
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
    const swapped = await world.answer(at, { number });
    expect([swapped.result.status, swapped.events]).toEqual([400, []]);

    const own = await world.atConnect(session);
    await own.browser.post('/sign-out', { csrf: own.page.hidden['csrf'] ?? '' });
    const out = await world.answer(own, { number });
    expect([out.result.status, out.events]).toEqual([400, []]);
  });

  test('is given by another account where the person says so', async () => {
    const session = await world.begin();
    const [at, other] = [await world.atConnect(session), await world.account()];
    const { result, events } = await world.answer(at, { decision: 'other_account' });
    expect([result.status, events, result.text.includes('id="password"'), result.text.includes(at.person.email)]).toEqual([
      200,
      [],
      true,
      false,
    ]);
    const page = await at.browser.post('/sign-in', { ...result.hidden, email: other.email, password: other.password });
    expect(page.text).toContain(other.email);
    const linked = await world.answer({ ...at, page }, { number: String(session.number) });
    expect(linked.events[0]?.data).toMatchObject({ account: other.id });
    // The page of the first account is nobody's any more.
    expect((await world.answer(at, { number: String(session.number) })).result.status).toBe(400);
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
    const data = { url: 'https://elsewhere.example/in' };
    const { log } = world.deps;
    const decide = (loaded: Loaded) => ({
      commit: commitOn(loaded, by, { writes: [{ streamId: session.endpoint, events: [{ type: 'webhook_endpoint.updated', data }] }] }),
      outcome: null,
    });
    await execute({ log, platform: session.platform, requests: [{ streamId: session.endpoint }], decide });
    const { result, events } = await world.answer(at, { number: String(session.number) });
    expect([result.status, events]).toEqual([409, []]);
    expect([result.text.includes('elsewhere.example'), result.text.includes('Read this page once more')]).toEqual([true, true]);
    const linked = await world.answer({ ...at, page: result }, { number: String(session.number) });
    expect(linked.types).toContain('session.linked');
  });

  test('is taken of an account that has ended everything before only once it has signed in again', async () => {
    const session = await world.begin();
    const at = await world.atConnect(session);
    const task = { platform: session.platform, account: at.person.id };
    await changeAccount(world.deps.provisioning, by, { ...task, command: { type: 'revokeGrants', reason: 'by_operator' } });
    const { result, events } = await world.answer(at, { number: String(session.number) });
    expect([result.status, events]).toEqual([400, []]);
    const again = await world.answer(await world.atConnect(session, at.person), { number: String(session.number) });
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
    const { result, events } = await world.answer(at, { number: String(session.number) });
    expect([result.status, events, result.text.includes('cannot be used any more')]).toEqual([410, [], true]);
    expect(await world.grantOf(session)).toEqual({ status: 'none' });
    if (undo !== null) await changeClient(world.deps.provisioning, by, { ...task, command: undo });
  });
});
