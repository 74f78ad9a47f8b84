import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { sealForPassing } from '../../src/logout/logout-request.ts';
import { type LogoutWorld, openLogoutWorld, type Person, returnUri } from './support/logout-world.ts';

let world: LogoutWorld;
let person: Person;
let clientId: string;
beforeAll(async () => {
  world = await openLogoutWorld(inject('databaseUrl'));
  clientId = await world.client();
});
beforeEach(async () => {
  person = await world.account();
});
afterAll(() => world.close());

/** A browser in which the person is signed in, and the ID token that an app got there. */
const signedIn = async (change: { readonly claims?: object } = {}) => {
  const { browser, id } = await world.signIn(person);
  return { browser, id, hint: await world.idToken({ clientId, account: person.id, signIn: id }, change) };
};

describe('an app that shows the ID token of whoever is signed in', () => {
  test('signs nobody out by a HEAD, which only looks', async () => {
    const { browser, hint } = await signedIn();
    const { result, types } = await world.during(() => browser.head('/oauth/end_session', { id_token_hint: hint }));
    expect([result.status, types, browser.isSignedIn()]).toEqual([405, [], true]);
  });

  test('signs them out without a question, and has them back with its state', async () => {
    const { browser, id, hint } = await signedIn();
    const copy = world.createBrowser();
    for (const [name, value] of browser.cookies) copy.cookies.set(name, value);
    expect(await world.isKnown(copy)).toBe(true);

    const ask = { id_token_hint: hint, post_logout_redirect_uri: returnUri, state: 'a state & more' };
    const { result, events } = await world.during(() => browser.open('/oauth/end_session', ask));
    expect([result.status, result.location]).toEqual([303, `${returnUri}&state=a+state+%26+more`]);
    expect(result.headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
    expect(events).toMatchObject([
      { type: 'sign_in.ended', streamId: id, data: { reason: 'signed_out' }, actor: { kind: 'account', id: person.id } },
    ]);
    expect(browser.isSignedIn()).toBe(false);
    // The cookie is a name, and what it names has ended: a copy opens nothing.
    expect(await world.isKnown(copy)).toBe(false);
  });

  test('may do so by a form, and with an ID token that expired long ago', async () => {
    const { browser, hint } = await signedIn({ claims: { iat: 1_600_000_000, exp: 1_600_000_600 } });
    const ask = { id_token_hint: hint, client_id: clientId, post_logout_redirect_uri: returnUri, logout_hint: 'x', ui_locales: 'de' };
    const { result, types } = await world.during(() => browser.post('/oauth/end_session', ask));
    expect([result.status, result.location, types]).toEqual([303, returnUri, ['sign_in.ended']]);
  });

  test('leaves people on a page that says so where it names no address', async () => {
    const { browser, hint } = await signedIn();
    const { result, types } = await world.during(() => browser.open('/oauth/end_session', { id_token_hint: hint, state: 'lost' }));
    expect([result.status, result.location, types]).toEqual([200, undefined, ['sign_in.ended']]);
    expect(result.text).toContain('You are signed out');
  });

  test('ends the sign-in that its ID token is of, too, where the person has signed in again since', async () => {
    const { browser, id: first, hint } = await signedIn();
    const { id: second } = await world.signIn(person, browser);
    const { events } = await world.during(() => browser.open('/oauth/end_session', { id_token_hint: hint }));
    expect(events.map(({ type, streamId }) => [type, streamId])).toEqual([
      ['sign_in.ended', second],
      ['sign_in.ended', first],
    ]);
  });

  test('ends no sign-in of another account, whatever its ID token names', async () => {
    const { browser, id } = await signedIn();
    const { browser: others, id: theirs } = await world.signIn(await world.account());
    const hint = await world.idToken({ clientId, account: person.id, signIn: theirs });
    const { events } = await world.during(() => browser.open('/oauth/end_session', { id_token_hint: hint }));
    expect(events.map(({ streamId }) => streamId)).toEqual([id]);
    expect(await world.isKnown(others)).toBe(true);
  });

  test('ends nothing twice, and still has them back', async () => {
    const { browser, hint } = await signedIn();
    const cookies = [...browser.cookies];
    const ask = { id_token_hint: hint, post_logout_redirect_uri: returnUri };
    await browser.open('/oauth/end_session', ask);
    for (const [name, value] of cookies) browser.cookies.set(name, value);
    const { result, types } = await world.during(() => browser.open('/oauth/end_session', ask));
    expect([result.location, types]).toEqual([returnUri, []]);
  });

  test('is answered by fifty of the same with one end', async () => {
    const { browser, hint } = await signedIn();
    const ask = { id_token_hint: hint, post_logout_redirect_uri: returnUri };
    const cookies = [...browser.cookies];
    const crowd = Array.from({ length: 50 }, () => {
      const each = world.createBrowser();
      for (const [name, value] of cookies) each.cookies.set(name, value);
      return each;
    });
    const { result, types } = await world.during(() => Promise.all(crowd.map((each) => each.open('/oauth/end_session', ask))));
    expect(new Set(result.map(({ location }) => location))).toEqual(new Set([returnUri]));
    expect(types).toEqual(['sign_in.ended']);
  });
});

describe('a form of another site, which comes without cookies', () => {
  test('is carried on to where they come along, without the ID token in the URL', async () => {
    const { browser, hint, id } = await signedIn();
    const ask = { id_token_hint: hint, post_logout_redirect_uri: returnUri, state: 's' };
    const { result: passed, types } = await world.during(() => browser.postFromElsewhere('/oauth/end_session', ask));
    expect([passed.status, types]).toEqual([303, []]);
    expect(passed.location).toMatch(/^http:\/\/localhost:4000\/shop\/oauth\/end_session\?request=/);
    expect(passed.location).not.toContain(hint.slice(0, 40));
    const { result, events } = await world.during(() => browser.follow(passed.location));
    expect(result.location).toBe(`${returnUri}&state=s`);
    expect(events.map(({ streamId }) => streamId)).toEqual([id]);
  });

  test.each([
    ['of another origin', { origin: 'https://app.example' }],
    ['of an origin that it hides', { origin: 'null' }],
  ])('is carried on from a browser that says only that it is %s', async (_, headers) => {
    const { browser } = await signedIn();
    const { result: passed, types } = await world.during(() => browser.postFromElsewhere('/oauth/end_session', {}, headers));
    expect([passed.status, types, browser.isSignedIn()]).toEqual([303, [], true]);
    // Where the cookie comes along, the person is asked.
    expect((await browser.follow(passed.location)).text).toMatch(/Sign out of [^<]+\?/);
  });

  test('takes no cookie that it did not bring', async () => {
    const { browser } = await signedIn();
    const { types } = await world.during(() => browser.postFromElsewhere('/oauth/end_session', {}, {}));
    expect([types, browser.isSignedIn(), await world.isKnown(browser)]).toEqual([[], true, true]);
  });

  test('says nothing a minute later, on another platform, or where it is changed', async () => {
    const { browser, hint, id } = await signedIn();
    const { location = '' } = await browser.postFromElsewhere('/oauth/end_session', { id_token_hint: hint });
    const sealed = new URL(location).searchParams.get('request') ?? '';
    const request = { hint: { clientId, account: person.id, signIn: id }, clientId, redirectUri: null, state: null };
    const old = sealForPassing(world.deps, world.shop, { request, now: Date.now() - 61_000 });
    for (const [platform, carried] of [
      [world.shop, old],
      [world.other, sealed],
      [world.shop, `${sealed.slice(0, -4)}AAAA`],
      [world.shop, 'x'],
    ] as const) {
      const { result, types } = await world.during(() =>
        browser.follow(`/${platform}/oauth/end_session?request=${encodeURIComponent(carried)}`),
      );
      expect([result.status, types]).toEqual([400, []]);
    }
    expect(await world.isKnown(browser)).toBe(true);
  });
});
