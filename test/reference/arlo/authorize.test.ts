import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createConsentFlow } from '../../support/consent.ts';
import { type Arlo, answerOf, type Change, callback, documentedState, startArlo } from './support/arlo.ts';

let arlo: Arlo;

beforeAll(async () => {
  arlo = await startArlo(inject('databaseUrl'));
});
afterAll(() => arlo.stop());

/** The page of ours that refuses a request: never a redirect, for nobody has proved where to. */
const expectPage = async (change: Change, words: RegExp): Promise<void> => {
  const page = await arlo.request(change);
  expect([page.status, page.location, page.headers.get('content-type')]).toEqual([400, null, 'text/html; charset=utf-8']);
  expect(page.text).toMatch(words);
};

const expectError = async (change: Change, error: string, words: RegExp): Promise<void> => {
  const refused = await arlo.request(change);
  expect(refused.status).toBe(303);
  expect(`${refused.location?.origin}${refused.location?.pathname}`).toBe(callback);
  expect(answerOf(refused)).toEqual({
    error,
    error_description: expect.stringMatching(words),
    iss: arlo.issuer,
    state: documentedState,
  });
};

describe('the authorization endpoint', () => {
  test('answers at the documented path as at the canonical one, by GET and by POST', async () => {
    for (const path of ['/oauth/connect/authorize', '/oauth/authorize']) {
      const page = await arlo.request({}, path);
      expect([page.status, page.text.includes('name="password"')]).toEqual([200, true]);
    }
    const [url = '', query = ''] = arlo.authorizeUrl().split('?');
    const posted = await arlo.newVisitor().post(url, Object.fromEntries(new URLSearchParams(query)));
    expect([posted.status, posted.text.includes('name="password"')]).toEqual([200, true]);
  });

  test('is not at the documented path on a platform that does not switch it on', async () => {
    const url = arlo.authorizeUrl().replace('/arlo/oauth/connect/', '/arlo-health/oauth/connect/');
    expect((await arlo.newVisitor().open(url)).status).toBe(404);
    expect((await arlo.newVisitor().open(arlo.authorizeUrl().replace('/arlo/oauth/', '/nowhere/oauth/'))).status).toBe(404);
  });

  test('says on a page that client_id is missing, or that nobody registered it', async () => {
    await expectPage({ client_id: null }, /client_id is required/);
    await expectPage({ client_id: 'nobody' }, /not registered/);
  });

  test('asks the person for their decision about the app and its scopes', async () => {
    const consent = await arlo.consentPageOf(arlo.newVisitor(), arlo.authorizeUrl());
    for (const shown of ['Test Client', 'myapp.example.org', 'Know which Arlo account is yours', 'Stay connected while you are away'])
      expect(consent.text).toContain(shown);
    expect(consent.text).not.toContain('Change your platform');
  });
});

describe('response_type', () => {
  test.each(['token', 'id_token', 'code id_token', 'code token', 'none', 'CODE'])(
    '%s is unsupported_response_type, at the callback with state and issuer',
    async (responseType) => expectError({ response_type: responseType }, 'unsupported_response_type', /must be code/),
  );

  test('missing is invalid_request and named', async () =>
    expectError({ response_type: null }, 'invalid_request', /^response_type is required$/));
});

describe('redirect_uri', () => {
  test('missing is refused on a page that names it', async () => expectPage({ redirect_uri: null }, /redirect_uri/));

  test.each([
    ['a relative one', '/oauth/arlo/callback/', /not an absolute URI/],
    ['one without a scheme', '//myapp.example.org/oauth/arlo/callback/', /not an absolute URI/],
    ['plain http', callback.replace('https:', 'http:'), /http is only allowed on/],
    ['a fragment', `${callback}#here`, /has a fragment/],
    ['a scheme that runs content', 'javascript:alert(1)', /scheme javascript is not allowed/],
    ['other case in the host', callback.replace('myapp', 'MyApp'), /not one that the app has registered/],
    ['other case in the path', callback.replace('callback', 'Callback'), /not one that the app has registered/],
    ['no trailing slash', callback.slice(0, -1), /not one that the app has registered/],
    ['the default port written out', callback.replace('.org/', '.org:443/'), /not one that the app has registered/],
    ['another port', callback.replace('.org/', '.org:8443/'), /not one that the app has registered/],
    ['an added query', `${callback}?a=1`, /not one that the app has registered/],
    ['an escaped character', callback.replace('callback', 'c%61llback'), /not one that the app has registered/],
    ['a longer host', callback.replace('.org/', '.org.evil.example/'), /not one that the app has registered/],
    ['a user name', callback.replace('myapp', 'you@myapp'), /user name/],
  ])('with %s is refused on a page that says why', async (_what, redirectUri, words) => expectPage({ redirect_uri: redirectUri }, words));

  test('is compared with its query as it was written', async () => {
    const redirectUri = `${callback}?a=1&b=2`;
    const { client_id: id } = await arlo.bench.client('arlo', { redirectUris: [redirectUri], grantTypes: arlo.grantTypes });
    await expectPage({ client_id: id, redirect_uri: `${callback}?b=2&a=1` }, /not one that the app has registered/);
    const answered = await arlo.decide({ client_id: id, redirect_uri: redirectUri }, 'deny');
    expect(answered.href.startsWith(`${redirectUri}&error=access_denied&`)).toBe(true);
  });

  test('of a scheme that is not https is refused though it is registered, and loopback is not', async () => {
    const redirectUris = ['org.example.myapp:/callback', 'http://127.0.0.1/callback'];
    const { client_id: id } = await arlo.bench.client('arlo', { redirectUris, grantTypes: arlo.grantTypes });
    await expectPage({ client_id: id, redirect_uri: 'org.example.myapp:/callback' }, /https addresses only/);
    expect((await arlo.request({ client_id: id, redirect_uri: 'http://127.0.0.1:53682/callback' })).status).toBe(200);
  });

  test('is judged again at the decision: what the platform has stopped taking gets no code', async () => {
    const platform = 'hardening';
    await arlo.bench.configure(platform);
    const account = await arlo.bench.account(platform);
    const client = await arlo.bench.client(platform, { redirectUris: ['org.example.myapp:/callback'] });
    const flow = createConsentFlow({ deployment: arlo.deployment, platform, client, account });
    const { visitor, page } = await flow.atConsent();
    const another = await flow.atConsent();
    expect((await flow.decide(another.visitor, another.page, 'allow')).location?.protocol).toBe('org.example.myapp:');
    await arlo.bench.configure(platform, { switches: { connectPaths: true, httpsRedirectsOnly: true } });
    const decided = await flow.decide(visitor, page, 'allow');
    expect([decided.status, decided.location]).toEqual([400, null]);
  });
});

describe('the callback', () => {
  test('of a granted request carries a code, the state and the issuer, by GET', async () => {
    const answered = await arlo.decide({}, 'allow');
    expect(`${answered.origin}${answered.pathname}`).toBe(callback);
    expect(Object.fromEntries(answered.searchParams)).toEqual({
      code: expect.stringMatching(/^arlo_/),
      state: documentedState,
      iss: arlo.issuer,
    });
  });

  test('of a denied request carries access_denied, the state and the issuer', async () => {
    const answered = await arlo.decide({}, 'deny');
    expect(Object.fromEntries(answered.searchParams)).toEqual({
      error: 'access_denied',
      error_description: expect.any(String),
      state: documentedState,
      iss: arlo.issuer,
    });
  });

  test('carries no state where none was sent, on success and on error', async () => {
    expect((await arlo.decide({ state: null }, 'allow')).searchParams.has('state')).toBe(false);
    expect((await arlo.decide({ state: null }, 'deny')).searchParams.has('state')).toBe(false);
    expect((await arlo.request({ state: null, scope: null })).location?.searchParams.has('state')).toBe(false);
  });

  test('echoes any state as it came, on success and on error', async () => {
    const state = 'a b+c%20d&e=f;"<>\\/ü✓';
    expect((await arlo.decide({ state }, 'allow')).searchParams.get('state')).toBe(state);
    expect((await arlo.request({ state, response_type: 'token' })).location?.searchParams.get('state')).toBe(state);
  });

  test('names the parameter of an invalid request', async () => {
    await expectError({ max_age: 'soon' }, 'invalid_request', /max_age/);
    await expectError({ response_mode: 'fragment' }, 'invalid_request', /response_mode/);
    await expectError({ code_challenge: 'short', code_challenge_method: 'S256' }, 'invalid_request', /code_challenge/);
  });
});
