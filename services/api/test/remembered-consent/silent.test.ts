import { setContexts } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type App, answerOf, asks, by, claimsOf, openPeopleWorld, type PeopleWorld } from './support/people.ts';

let world: PeopleWorld;
let app: App;

beforeAll(async () => {
  world = await openPeopleWorld(inject('databaseUrl'));
  app = await world.client();
});
afterAll(() => world.close());

const silent = { prompt: 'none' };
type Browser = ReturnType<PeopleWorld['createBrowser']>;
const fetched = async (browser: Browser, change: Record<string, string>, headers: Record<string, string> = {}) => {
  const { result, types } = await world.during(() => browser.visit(app, change, headers));
  return { ...answerOf(result), asks: asks(result), types };
};

describe('prompt=none', () => {
  test('AZ-26: is login_required where nobody is signed in, with state and iss, and nothing is written', async () => {
    const answer = await fetched(world.createBrowser(), silent);
    expect(answer).toMatchObject({ error: 'login_required', state: 'state-1', iss: 'http://localhost:4000/memo', types: [] });
  });

  test('AZ-27: is consent_required where exactly this was not allowed, and nothing is written', async () => {
    const { browser } = await world.allowedIn(app, await world.person());
    expect(await fetched(browser, { ...silent, scope: 'openid write' })).toMatchObject({ error: 'consent_required', types: [] });
  });

  test('is answered where it was, with the time of the sign-in that answers it and the same sid', async () => {
    const who = await world.person();
    const { browser, code } = await world.allowedIn(app, who);
    const first = claimsOf((await world.redeem(app, code)).body['id_token']);
    const answer = answerOf(await browser.visit(app, { ...silent, nonce: 'nonce-2' }));
    const { body } = await world.redeem(app, answer['code']);
    expect(claimsOf(body['id_token'])).toMatchObject({
      ...{ sub: who.id, nonce: 'nonce-2', auth_time: first['auth_time'], sid: first['sid'], amr: ['pwd'] },
    });
    expect(first['sid']).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('is login_required where the sign-in is too old for max_age, and max_age=0 is always too young', async () => {
    const { browser } = await world.allowedIn(app, await world.person());
    expect(await fetched(browser, { ...silent, max_age: '600' })).toMatchObject({ code: expect.any(String) });
    expect(await fetched(browser, { ...silent, max_age: '0' })).toMatchObject({ error: 'login_required', types: [] });
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    expect(await fetched(browser, { ...silent, max_age: '1' })).toMatchObject({ error: 'login_required', types: [] });
    expect((await browser.visit(app, { max_age: '1' })).text).toContain('name="password"');
  });

  test('AZ-30: is login_required where somebody else is signed in than the hint or the claims name', async () => {
    const who = await world.person();
    const { browser, code } = await world.allowedIn(app, who);
    const { body } = await world.redeem(app, code);
    const hint = { id_token_hint: String(body['id_token']) };
    const named = (sub: string) => ({ claims: JSON.stringify({ id_token: { sub: { value: sub } } }) });
    expect(await fetched(browser, { ...silent, ...hint, ...named(who.id) })).toMatchObject({ code: expect.any(String) });
    const other = await world.person();
    const { browser: theirs } = await world.allowedIn(app, other);
    expect(await fetched(theirs, { ...silent, ...hint })).toMatchObject({ error: 'login_required', types: [] });
    expect(await fetched(theirs, { ...silent, ...named(who.id) })).toMatchObject({ error: 'login_required', types: [] });
    expect(await fetched(theirs, { ...silent, ...hint, ...named(other.id) })).toMatchObject({ error: 'invalid_request', types: [] });
  });

  test('is no question of consent for an app on a device: it is consent_required forever', async () => {
    const of = await world.client({ redirectUris: ['http://127.0.0.1/cb'] });
    const { browser } = await world.allowedIn(of, await world.person());
    expect(answerOf(await browser.visit(of, silent))).toMatchObject({ error: 'consent_required' });
  });
});

describe('a page that has the browser fetch it', () => {
  const site = { 'sec-fetch-site': 'same-site' };
  test.each([
    ['a picture', { ...site, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
    ['a script', { ...site, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' }],
    ['fetch()', { ...site, 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }],
    ['an embedded object', { ...site, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'object' }],
    ['a prefetch', { ...site, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-purpose': 'prefetch' }],
  ])('as %s gets no grant, silently or not', async (_, headers) => {
    const { browser } = await world.allowedIn(app, await world.person());
    expect(await fetched(browser, silent, headers)).toMatchObject({ error: 'interaction_required', types: [] });
    expect(await fetched(browser, {}, headers)).toMatchObject({ asks: true, types: [] });
  });

  test('gets none by HEAD', async () => {
    const { browser } = await world.allowedIn(app, await world.person());
    const { types } = await world.during(() => browser.send('HEAD', world.authorizePath(app, silent), null));
    expect(types).toEqual([]);
  });

  test('in a frame gets one only where it asks for nothing to be shown', async () => {
    const { browser } = await world.allowedIn(app, await world.person());
    const headers = { ...site, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' };
    expect(await fetched(browser, {}, headers)).toMatchObject({ asks: true, types: [] });
    expect(await fetched(browser, silent, headers)).toMatchObject({ code: expect.any(String) });
  });

  test('whole gets one: apps send browsers here by navigation', async () => {
    const { browser } = await world.allowedIn(app, await world.person());
    const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    expect(await fetched(browser, {}, headers)).toMatchObject({ code: expect.any(String) });
  });
});

test('an account is given no more grants unasked than its budget has, then it is asked', async () => {
  const { browser } = await world.allowedIn(app, await world.person());
  const { result, types } = await world.during(() => Promise.all(Array.from({ length: 70 }, () => browser.visit(app))));
  const asked = result.filter(asks);
  // One more may drain while they run.
  expect(types.filter((type) => type === 'grant.authorized').length).toBe(70 - asked.length);
  expect([9, 10]).toContain(asked.length);
  expect(await fetched(browser, silent)).toMatchObject({ error: 'interaction_required', types: [] });
  const { browser: other } = await world.allowedIn(app, await world.person());
  expect(await fetched(other, silent)).toMatchObject({ code: expect.any(String) });
});

describe('the context that was chosen', () => {
  test('carries over while the account has it; without it the person is asked, or told to be', async () => {
    const at = await world.configure('safes', { contexts: { noun: 'Safe', required: true } });
    const of = await world.client({ platform: at });
    const who = await world.person(at);
    const give = (...ids: readonly string[]) =>
      setContexts(world.deps.provisioning, by, { platform: at, account: who.id, contexts: ids.map((id) => ({ id, name: id })) } as never);
    await give('safe-1', 'safe-2');
    const browser = world.createBrowser(at);
    const page = await browser.signIn(await browser.visit(of), who);
    await browser.decide(page, 'allow', { context: 'safe-2' });
    const { events } = await world.during(() => browser.visit(of), at);
    expect(events).toMatchObject([{ type: 'grant.authorized' }, { type: 'grant.context_selected', data: { context: 'safe-2' } }]);
    await give('safe-1');
    expect(asks(await browser.visit(of))).toBe(true);
    expect(answerOf(await browser.visit(of, silent))).toMatchObject({ error: 'interaction_required' });
    await give('safe-1', 'safe-2');
    expect(answerOf(await browser.visit(of, silent))).toMatchObject({ code: expect.any(String) });
  });
});
