import { randomToken } from '@grantlog/crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { sealForForm } from '../../src/logout/logout-request.ts';
import { type LogoutWorld, openLogoutWorld, type Person, returnUri, type Seen } from './support/logout-world.ts';

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

const asksFirst = (page: Seen): void => {
  expect([page.status, page.location]).toEqual([200, undefined]);
  expect(page.text).toMatch(/Sign out of [^<]+\?/);
  expect(Object.keys(page.hidden)).toEqual(['csrf', 'request']);
};

describe('without an ID token of whoever is signed in', () => {
  const hints: readonly (readonly [string, () => Promise<Readonly<Record<string, string>>>])[] = [
    ['no parameter at all', async () => ({})],
    ['only a state', async () => ({ state: 's' })],
    ['only the name of an app', async () => ({ client_id: clientId, post_logout_redirect_uri: returnUri })],
    ["another account's ID token", async () => ({ id_token_hint: await world.idToken({ clientId, account: (await world.account()).id }) })],
    ["another platform's", async () => ({ id_token_hint: await world.idToken({ clientId, account: person.id, platform: world.other }) })],
    [
      'one of another platform that says it is of this one',
      async () => {
        const claims = { iss: 'http://localhost:4000/shop' };
        return { id_token_hint: await world.idToken({ clientId, account: person.id, platform: world.other }, { claims }) };
      },
    ],
    [
      'one whose account was changed',
      async () => {
        const [head, body = '', signature] = (await world.idToken({ clientId, account: (await world.account()).id })).split('.');
        const claims = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as object;
        const forged = Buffer.from(JSON.stringify({ ...claims, sub: person.id })).toString('base64url');
        return { id_token_hint: `${head}.${forged}.${signature}` };
      },
    ],
    ['an access token', async () => ({ id_token_hint: await world.idToken({ clientId, account: person.id }, { typ: 'at+jwt' }) })],
    ['a logout token', async () => ({ id_token_hint: await world.idToken({ clientId, account: person.id }, { typ: 'logout+jwt' }) })],
    ['something else', async () => ({ id_token_hint: 'not.a.jwt' })],
  ];
  test.each(hints)('(%s) the person is asked, and nothing has ended', async (_, ask) => {
    const { browser } = await world.signIn(person);
    const parameters = await ask();
    const { result, types } = await world.during(() => browser.open('/oauth/end_session', parameters));
    asksFirst(result);
    expect(types).toEqual([]);
    expect(await world.isKnown(browser)).toBe(true);
  });

  test('a click on the page signs out and leads back, with the state', async () => {
    const { browser, id } = await world.signIn(person);
    const page = await browser.open('/oauth/end_session', { client_id: clientId, post_logout_redirect_uri: returnUri, state: 'echo' });
    expect(page.text).toContain('<strong>The app</strong>');
    // Chromium holds the redirect after the form to the page's policy.
    expect(String(page.headers['content-security-policy'])).toContain("form-action 'self' https://app.example;");
    const { result, events } = await world.during(() => browser.post('/sign-out', page.hidden));
    expect([result.status, result.location]).toEqual([303, `${returnUri}&state=echo`]);
    expect(events).toMatchObject([{ type: 'sign_in.ended', streamId: id }]);
    expect(browser.isSignedIn()).toBe(false);
  });

  test('an address of an app that nobody named is not gone to, and the page says so', async () => {
    const { browser } = await world.signIn(person);
    const page = await browser.open('/oauth/end_session', { post_logout_redirect_uri: returnUri, state: 's' });
    asksFirst(page);
    expect(page.text).toContain('You cannot be sent back');
    const { result, types } = await world.during(() => browser.post('/sign-out', page.hidden));
    expect([result.status, result.location, types]).toEqual([200, undefined, ['sign_in.ended']]);
    expect(result.text).not.toContain('app.example');
  });

  test('an address that the app has lost since the page was shown is not gone to; the person is signed out all the same', async () => {
    const { browser } = await world.signIn(person);
    const brief = await world.client();
    const page = await browser.open('/oauth/end_session', { client_id: brief, post_logout_redirect_uri: returnUri });
    await world.change(brief, { type: 'client.updated', data: { postLogoutRedirectUris: [] } });
    const { result, types } = await world.during(() => browser.post('/sign-out', page.hidden));
    expect([result.status, result.location, types]).toEqual([200, undefined, ['sign_in.ended']]);
  });
});

describe('the form of the page', () => {
  const waiting = async () => {
    const { browser } = await world.signIn(person);
    const page = await browser.open('/oauth/end_session', { client_id: clientId, post_logout_redirect_uri: returnUri });
    return { browser, page };
  };

  test('ends nothing without its token, with another one, or from another origin', async () => {
    const { browser, page } = await waiting();
    const { csrf: _, ...bare } = page.hidden;
    const forged = [
      () => browser.post('/sign-out', bare),
      () => browser.post('/sign-out', { ...page.hidden, csrf: randomToken(32) }),
      () => browser.post('/sign-out', page.hidden, { origin: 'https://evil.example' }),
    ];
    for (const send of forged) {
      const { result, types } = await world.during(send);
      expect([result.status, result.location, types]).toEqual([403, undefined, []]);
    }
    expect(await world.isKnown(browser)).toBe(true);
  });

  test("leads nowhere with another browser's request, one that is carried on, or one from an hour ago", async () => {
    const { browser, page } = await waiting();
    const elsewhere = await waiting();
    const passed = await browser.postFromElsewhere('/oauth/end_session', { client_id: clientId, post_logout_redirect_uri: returnUri });
    const carried = new URL(passed.location ?? '').searchParams.get('request') ?? '';
    const old = sealForForm(world.deps, world.shop, {
      request: { hint: null, clientId, redirectUri: returnUri, state: null },
      browserId: browser.id(),
      now: Date.now() - 3_601_000,
    });
    for (const request of [elsewhere.page.hidden['request'] ?? '', carried, old, 'nonsense']) {
      const { result, types } = await world.during(() => browser.post('/sign-out', { ...page.hidden, request }));
      expect([result.status, result.location, types]).toEqual([400, undefined, []]);
    }
    // A page's request is no request of a URL either.
    expect((await browser.open('/oauth/end_session', { request: page.hidden['request'] ?? '' })).status).toBe(400);
  });
});
