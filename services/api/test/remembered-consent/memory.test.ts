import type { PlatformId } from '@grantlog/eventsourcing';
import { changeAccount, changeClient, changePlatform, revokeGrant } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { endConnection } from '../../src/pages/end-connection.ts';
import { type App, answerOf, asks, by, openPeopleWorld, type PeopleWorld, type Person } from './support/people.ts';

let world: PeopleWorld;
let app: App;

beforeAll(async () => {
  world = await openPeopleWorld(inject('databaseUrl'));
  app = await world.client();
});
afterAll(() => world.close());

const grantsOf = async (work: () => Promise<unknown>) =>
  (await world.during(work)).events.filter(({ type }) => type === 'grant.authorized');
/** A person who has allowed a request, and the grant of it. */
const remembered = async (change: Record<string, string> = {}, of: App = app) => {
  const who = await world.person();
  const { result, events } = await world.during(() => world.allowedIn(of, who, change));
  const grant = events.find(({ type }) => type === 'grant.authorized');
  if (grant === undefined) throw new Error('nothing was granted');
  return { who, ...result, grant: grant.streamId as never };
};

describe('what somebody has allowed', () => {
  test('is not asked about again: a grant of its own is opened in one commit, by what was remembered', async () => {
    const { who, browser, grant } = await remembered();
    const { result: visit, events, types } = await world.during(() => browser.visit(app));
    expect(visit.status).toBe(303);
    expect(answerOf(visit)).toMatchObject({ code: expect.any(String), state: 'state-1', iss: 'http://localhost:4000/memo' });
    expect(types).toEqual(['grant.authorized']);
    expect(events[0]).toMatchObject({
      actor: { kind: 'system', id: 'remembered consent' },
      data: { account: who.id, scopes: ['openid', 'read'], remembered: grant },
    });
    expect(events[0]?.streamId).not.toBe(grant);
    const { status, body } = await world.redeem(app, answerOf(visit)['code']);
    expect({ status, scope: body['scope'] }).toEqual({ status: 200, scope: 'openid read' });
  });

  test('is not asked about again after signing in anew, and the page of that says where its answer may lead', async () => {
    const { who } = await remembered();
    const other = world.createBrowser();
    const page = await other.visit(app);
    const answer = await other.signIn(page, who);
    expect(answer.status).toBe(303);
    expect(answerOf(answer)).toMatchObject({ code: expect.any(String) });
    const response = await world.app.inject(`/memo${world.authorizePath(app)}`);
    expect(response.headers['content-security-policy']).toContain("form-action 'self' https://app.example;");
  });

  test('is said on the page to be remembered', async () => {
    const browser = world.createBrowser();
    expect((await browser.signIn(await browser.visit(app), await world.person())).text).toContain('You are not asked again');
  });

  test.each([
    ['other scopes', { scope: 'openid read write' }],
    ['fewer scopes', { scope: 'read' }],
    ['another resource', { resource: 'https://memo.example/two' }],
    ['other claims', { claims: '{"userinfo":{"email":null}}' }],
    ['prompt=consent', { prompt: 'consent' }],
  ])('is asked about again with %s', async (_, change) => {
    const { browser } = await remembered({ resource: 'https://memo.example/one' });
    expect(asks(await browser.visit(app, { resource: 'https://memo.example/one' }))).toBe(false);
    const { result: page, types } = await world.during(() => browser.visit(app, { resource: 'https://memo.example/one', ...change }));
    expect({ asks: asks(page), types }).toEqual({ asks: true, types: [] });
  });

  test('is the same in another order, and by scopes that come to the same', async () => {
    const { browser } = await remembered({ scope: 'read openid' });
    expect(asks(await browser.visit(app, { scope: 'openid read' }))).toBe(false);
  });

  test('is asked about again of another account, of another client and for another redirect URI', async () => {
    const two = await world.client({ redirectUris: ['https://app.example/cb', 'https://app.example/other'] });
    const { browser, who } = await remembered({}, two);
    expect(asks(await browser.visit(two))).toBe(false);
    expect(asks(await browser.visit({ ...two, redirectUri: 'https://app.example/other' }))).toBe(true);
    expect(asks(await browser.visit(app))).toBe(true);
    const other = world.createBrowser();
    expect(asks(await other.signIn(await other.visit(two), await world.person()))).toBe(true);
    expect(asks(await other.signIn(await other.visit(two), who))).toBe(false);
  });

  test('is asked about again on another platform, though client, account and request are called the same', async () => {
    const there = await world.configure('other');
    const same = await world.client({ clientId: 'twin' as never });
    const twin = await world.client({ platform: there, clientId: 'twin' as never });
    await remembered({}, same);
    const browser = world.createBrowser(there);
    expect(asks(await browser.signIn(await browser.visit(twin), await world.person(there)))).toBe(true);
  });
});

describe('it is forgotten', () => {
  const forgets = async (browser: Awaited<ReturnType<typeof remembered>>['browser'], of: App = app): Promise<void> => {
    const { result, types } = await world.during(() => browser.visit(of));
    expect({ asks: asks(result), types }).toEqual({ asks: true, types: [] });
    // What is allowed after that is remembered anew.
    await browser.decide(result, 'allow');
    expect(asks(await browser.visit(of))).toBe(false);
  };

  test('with its grant, which an operator ends', async () => {
    const { browser, grant } = await remembered();
    await revokeGrant(world.deps.provisioning, by, { platform: world.memo, grant });
    await forgets(browser);
  });

  test.each(['the one that was asked about', 'one that was not'])('when its person ends a connection to the app: %s', async (which) => {
    const { browser, grant, who } = await remembered();
    const [unasked] = await grantsOf(() => browser.visit(app));
    const ended = which === 'one that was not' ? (unasked?.streamId ?? '') : grant;
    const outcome = await endConnection(world.deps, { platform: world.memo, account: who.id, grant: ended, correlationId: 'test' });
    expect(outcome.outcome).toBe('ended');
    await forgets(browser);
  });

  test('when its code comes back and ends it', async () => {
    const { browser, code } = await remembered();
    expect((await world.redeem(app, code)).status).toBe(200);
    expect(asks(await browser.visit(app))).toBe(false);
    expect((await world.redeem(app, code)).status).toBe(400);
    await forgets(browser);
  });

  test.each([
    ['its client', (_: Person, of: App) => changeClient(world.deps.provisioning, by, { ...at(of), command: revoke })],
    [
      'its account',
      (who: Person) => changeAccount(world.deps.provisioning, by, { platform: world.memo, account: who.id, command: revoke }),
    ],
    ['its platform', () => changePlatform(world.deps.provisioning, by, { platform: world.memo, command: revoke })],
  ])('with all grants of %s', async (_, change) => {
    const of = await world.client();
    const { browser, who } = await remembered({}, of);
    expect(asks(await browser.visit(of))).toBe(false);
    expect(await change(who, of)).toMatchObject({ changed: true });
    // Grants are ended with their account's or platform's, sign-ins with them.
    const page = await browser.visit(of);
    const seen = page.text.includes('name="password"') ? await browser.signIn(page, who) : page;
    expect(asks(seen)).toBe(true);
  });

  test('by whoever denies it when asked again', async () => {
    const { browser } = await remembered();
    const page = await browser.visit(app, { prompt: 'consent' });
    const denied = await world.during(() => browser.decide(page, 'deny'));
    expect([...denied.types].sort()).toEqual(['grant.denied', 'name.released']);
    await forgets(browser);
  });

  const at = (of: App) => ({ platform: world.memo, clientId: of.clientId });
  const revoke = { type: 'revokeGrants', reason: 'test' } as const;
});

describe('it is never remembered', () => {
  test.each([
    ['a client that registered itself', { how: 'dynamic' as const }],
    ['a loopback redirect URI', { redirectUris: ['http://127.0.0.1/cb'] }],
    ['a scheme of its own', { redirectUris: ['com.app.example:/cb'] }],
  ])('for %s', async (_, change) => {
    const of = await world.client(change);
    const { browser, events } = await world.during(() => remembered({}, of)).then(({ result, events }) => ({ ...result, events }));
    expect(events.map(({ data }) => (data as { readonly kind?: string }).kind)).not.toContain('consent');
    const page = await browser.visit(of);
    expect(asks(page)).toBe(true);
    expect(page.text).not.toContain('You are not asked again');
  });

  test('where the platform does not want it, be it from now on', async () => {
    const name = 'forgetful' as PlatformId;
    await world.configure(name);
    const of = await world.client({ platform: name });
    const { browser } = await world.allowedIn(of, await world.person(name), {}, name);
    expect(asks(await browser.visit(of))).toBe(false);
    await world.configure(name, { consent: { remember: false } });
    expect(asks(await browser.visit(of))).toBe(true);
  });

  test('for a client that is disabled', async () => {
    const of = await world.client();
    const { browser } = await remembered({}, of);
    await changeClient(world.deps.provisioning, by, {
      platform: world.memo,
      clientId: of.clientId,
      command: { type: 'disable', reason: 'test' },
    });
    const { result, types } = await world.during(() => browser.visit(of));
    expect({ status: result.status, location: result.location, types }).toEqual({ status: 400, location: null, types: [] });
  });
});
