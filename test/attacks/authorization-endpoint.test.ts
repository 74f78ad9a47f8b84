import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { openWorkbench, type Workbench } from '../support/workbench.ts';
import { type Change, clientId, good, long, redirectUri, refused } from './refused-requests.ts';

let deployment: Deployment;
let bench: Workbench;

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0 });
  bench = openWorkbench(deployment);
  await bench.configure('gate', { resources: [{ uri: 'https://api.example/gate', name: 'Things', scopes: ['read'] }] });
  await bench.client('gate', { clientId, redirectUris: [redirectUri] });
  await bench.client('gate', { clientId: 'public', kind: 'public', redirectUris: [redirectUri] });
  await bench.client('gate', { clientId: 'native', kind: 'public', redirectUris: ['http://127.0.0.1/cb'] });
  await bench.client('gate', { clientId: 'two', redirectUris: [redirectUri, 'https://b.example/cb'] });
  await bench.client('gate', { clientId: 'machine', redirectUris: [redirectUri], grantTypes: ['client_credentials'] });
  await bench.client('gate', { clientId: 'self-registered', kind: 'public', how: 'dynamic', redirectUris: [redirectUri] });
  await bench.client('gate', { clientId: 'pending', redirectUris: [redirectUri], approval: 'pending' });
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
});

/** The good request with these parameters changed, left out (null) or, by `more`, added once more. */
const queryOf = (change: Change = {}, more: readonly (readonly [string, string])[] = []): URLSearchParams => {
  const query = new URLSearchParams(Object.entries({ ...good, ...change }).filter((pair): pair is [string, string] => pair[1] !== null));
  for (const [name, value] of more) query.append(name, value);
  return query;
};
const endpoint = (): string => `${deployment.apis[0]?.url}/gate/oauth/authorize`;
const ask = (query: URLSearchParams | string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${endpoint()}?${query}`, { redirect: 'manual', ...init });

/** A page of ours, not a redirect, and nothing of the suspicious address in it. */
const expectPage = async (response: Response, suspicious?: string): Promise<string> => {
  const text = await response.text();
  expect({ status: response.status, location: response.headers.get('location') }).toEqual({ status: 400, location: null });
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(response.headers.get('refresh')).toBeNull();
  if (suspicious !== undefined) expect(text).not.toContain(suspicious);
  return text;
};

describe('an unproved client or redirect URI gets a page, never a redirect', () => {
  test.each(['nobody', `${clientId} `, clientId.toUpperCase(), 'pending'])('AZ-01: client_id "%s"', async (id) => {
    await expectPage(await ask(queryOf({ client_id: id })), 'a.example');
  });

  test.each([
    'https://a.example/cb/',
    'https://a.example/cb?x=1',
    'https://a.example/CB',
    'https://a.example/cb%2f',
    'https://a.example/%63b',
    'https://a.example/x/../cb',
    'https://a.example/./cb',
    'HTTPS://A.EXAMPLE/cb',
    'https://A.example/cb',
    '//a.example/cb',
    'https://a.example:443/cb',
    'https://a.example./cb',
    'http://a.example/cb',
    'https://a.example/cb#',
    'https://a.example/cb#x',
    ' https://a.example/cb',
    'https://a.example/cb ',
    'https://evil.example/cb',
  ])('AZ-02, AZ-03: redirect_uri "%s"', async (uri) => {
    await expectPage(await ask(queryOf({ redirect_uri: uri })), 'evil');
  });

  test.each([
    'https://a.example@evil.example/cb',
    'https://a.example%40evil.example/cb',
    'https://a.example\\@evil.example/cb',
    'https://a.example.evil.example/cb',
    'https://a.exa\tmple/cb',
    'https://a.example/\ncb',
    'https://a.example/cb\r\nlocation: https://evil.example',
    'https://a.example/cb\u0000',
    'https:a.example/cb',
    'https:\\\\a.example\\cb',
    'javascript:alert(1)',
    'data:text/html,evil',
    'vbscript:evil',
    'blob:https://a.example/evil',
    'file:///etc/passwd',
  ])('AZ-04, AZ-07: redirect_uri %j', async (uri) => {
    await expectPage(await ask(queryOf({ redirect_uri: uri })), 'evil');
  });

  test.each([
    'http://localhost.evil.example/cb',
    'http://127.0.0.1.evil.example/cb',
    'http://127.0.0.1:99999/cb',
    'http://127.0.0.1:0/cb',
    'http://127.0.0.1:80@evil.example/cb',
    'http://127.1/cb',
    'http://2130706433/cb',
    'http://[::1]/cb',
    'http://localhost/cb',
    'https://127.0.0.1/cb',
    'http://127.0.0.1:51004/cb/',
  ])('AZ-06: redirect_uri "%s" for a native app at http://127.0.0.1/cb', async (uri) => {
    await expectPage(await ask(queryOf({ client_id: 'native', redirect_uri: uri })), 'evil');
  });

  test('AZ-05: while only the port of a native app may vary', async () => {
    const response = await ask(queryOf({ client_id: 'native', redirect_uri: 'http://127.0.0.1:51004/cb' }));
    expect(response.status).toBe(200);
  });

  test.each([
    ['with openid', clientId, 'openid', 400],
    ['with no scope, for which openid stands', clientId, null, 400],
    ['without openid, with one registered', clientId, 'read', 200],
    ['without openid, with two registered', 'two', 'read', 400],
  ] as const)('AZ-09: redirect_uri left out %s', async (_, id, scope, status) => {
    const response = await ask(queryOf({ client_id: id, redirect_uri: null, scope }));
    expect({ status: response.status, location: response.headers.get('location') }).toEqual({ status, location: null });
  });

  test.each([
    ['client_id', clientId],
    ['client_id', 'public'],
    ['redirect_uri', redirectUri],
    ['redirect_uri', 'https://evil.example/cb'],
  ])('AZ-15: %s repeated, the second time as "%s"', async (name, value) => {
    await expectPage(await ask(queryOf({}, [[name, value]])), 'evil');
  });

  test('AZ-25: errors of a self-registered client, while nobody is signed in', async () => {
    await expectPage(await ask(queryOf({ client_id: 'self-registered', scope: 'nonsense' })));
    await expectPage(await ask(queryOf({ client_id: 'self-registered', response_type: 'token' })));
    expect((await ask(queryOf({ client_id: 'self-registered' }))).status).toBe(200);
  });
});

describe('a proved client hears of its own errors', () => {
  test.each(refused.map(([id, what, error, change, more = []]) => [id, what, error, change, more] as const))(
    '%s: %s is answered with %s, state and iss (AZ-19)',
    async (_id, _what, error, change, more) => {
      const response = await ask(queryOf(change, more));
      expect(response.status).toBe(303);
      const location = response.headers.get('location') ?? '';
      expect(location.startsWith(`${redirectUri}?`)).toBe(true);
      const answer = new URL(location).searchParams;
      expect(Object.fromEntries(answer)).toEqual({
        error,
        error_description: expect.any(String),
        state: 'state-1',
        iss: `${deployment.publicUrl}/gate`,
      });
      expect([...answer.keys()]).toHaveLength(4);
      expect(response.headers.get('cache-control')).toBe('no-store');
    },
  );

  test('AZ-15: a repeated state is not echoed', async () => {
    const location = new URL((await ask(queryOf({}, [['state', 'other']]))).headers.get('location') ?? '');
    expect(location.searchParams.get('error')).toBe('invalid_request');
    expect(location.searchParams.has('state')).toBe(false);
  });

  test.each([
    ['a kilobyte', long(1_024)],
    ['eight kilobytes', long(8_192)],
    ['unicode', 'größe 🗝️ \u202e'],
    ['line breaks', 'a\r\nset-cookie: evil=1\r\n\r\n<html>'],
    ['what would add parameters', 'a&code=evil&iss=https://evil.example#x'],
    ['percent signs and pluses', '%0d%0a+%2B %'],
  ])('AZ-20: echoes a state of %s exactly, on an error', async (_, state) => {
    const response = await ask(queryOf({ state, response_type: 'token' }));
    const answer = new URL(response.headers.get('location') ?? '');
    expect(answer.searchParams.getAll('state')).toEqual([state]);
    expect(answer.searchParams.has('code')).toBe(false);
    expect(answer.hash).toBe('');
    expect(response.headers.get('set-cookie') ?? '').not.toContain('evil');
  });

  test.each([
    [
      'AZ-16: unknown parameters, also repeated',
      {},
      [
        ['foo', '1'],
        ['foo', '2'],
        ['__proto__', 'x'],
        ['constructor', 'y'],
      ],
    ],
    ['AZ-16: unknown prompt values', { prompt: 'create something' }, []],
    ['AZ-21: a nonce of 64', { nonce: long(64) }, []],
    ['AZ-21: no nonce', {}, []],
    ['FA-21: scopes in another order, twice', { scope: 'read openid read' }, []],
    ['RFC 6749 §3.1: no state', { state: null }, []],
    ['RFC 8707 §2: resource repeated', { resource: 'https://api.example/gate' }, [['resource', 'HTTPS://API.EXAMPLE/gate']]],
  ] as const)('%s is no error', async (_, change, more) => {
    const response = await ask(queryOf(change, more));
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('name="password"');
  });

  test('AZ-17: a POST with a form is answered as the GET', async () => {
    const post = (query: URLSearchParams) => fetch(endpoint(), { method: 'POST', body: query, redirect: 'manual' });
    expect(await (await post(queryOf())).text()).toContain('name="password"');
    expect((await post(queryOf({ response_type: 'token' }))).headers.get('location')).toContain('error=unsupported_response_type');
    await expectPage(await post(queryOf({ redirect_uri: 'https://evil.example/cb' })), 'evil');
    const json = await fetch(endpoint(), { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(good) });
    expect(json.status).toBe(415);
  });
});

const guarded: readonly (readonly [string, () => Promise<Response>])[] = [
  ['the sign-in page of a request', () => ask(queryOf())],
  ['the sign-in page by itself', () => fetch(`${deployment.apis[0]?.url}/gate/sign-in`)],
  ['an error page', () => ask(queryOf({ client_id: 'nobody' }))],
  ['a redirect with an error', () => ask(queryOf({ prompt: 'none' }))],
];

test.each(guarded)('AZ-23, AZ-24: %s cannot be framed, stored or read by another origin', async (_, visit) => {
  const response = await visit();
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect([...response.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
  if (response.status === 303) return;
  expect(response.headers.get('x-frame-options')).toBe('DENY');
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  // Nothing leaves the origin; `no-referrer` would also take the forms' own Origin away.
  expect(response.headers.get('referrer-policy')).toBe('same-origin');
  const policy = response.headers.get('content-security-policy') ?? '';
  for (const directive of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", 'form-action'])
    expect(policy).toContain(directive);
  expect(policy).not.toContain('unsafe-');
  const page = await response.text();
  expect(page).not.toMatch(/<script|<iframe|\bsrc=|\bhref="(?!data:,")|\son\w+=/i);
});

test('AZ-24: neither an Origin nor a preflight opens the authorization endpoint to other sites', async () => {
  for (const response of [
    await ask(queryOf(), { headers: { origin: 'https://evil.example' } }),
    await fetch(endpoint(), { method: 'OPTIONS', headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' } }),
  ]) {
    expect([...response.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
  }
});
