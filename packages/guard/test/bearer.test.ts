import { mintToken } from '@grantlog/crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createGuard, type GuardOutcome, type GuardProblem } from '../src/index.ts';
import { type FakeAuthorizationServer, startAuthorizationServer, status } from './authorization-server.ts';
import { challengesOf, headerOf } from './challenges.ts';

const nowSeconds = 1_800_000_000;
let server: FakeAuthorizationServer;
let problems: GuardProblem[];

beforeAll(async () => {
  server = await startAuthorizationServer();
});
afterAll(() => server.stop());
beforeEach(() => {
  problems = [];
  server.reset();
});

const live = () => ({
  active: true,
  iss: server.issuer,
  aud: server.resource,
  sub: 'a1',
  client_id: 'c1',
  token_type: 'Bearer',
  scope: 'openid read write all_claims',
  roles: ['api_user', 'administrator'],
  exp: nowSeconds + 1,
});

const guard = (change: Partial<Parameters<typeof createGuard>[0]> = {}) =>
  createGuard({
    issuer: server.issuer,
    resource: server.resource,
    clientId: 'res ource:1',
    clientSecret: 's+c/r%t=&',
    now: () => nowSeconds * 1000,
    onProblem: (problem) => problems.push(problem),
    ...change,
  });

const check = (token = 'tok', scope: readonly string[] = ['read']): Promise<GuardOutcome> =>
  guard().check({ authorization: `Bearer ${token}`, scope });

const opaque = (expiresAt: number) =>
  mintToken({
    prefix: 'arlo',
    kind: 'access',
    platform: 'arlo',
    key: new Uint8Array(32),
    nonce: new Uint8Array(32),
    payload: { streamId: '018f0000-0000-7000-8000-000000000000', sequence: 1, expiresAt, keyId: 0, scopes: [0], resource: 0 },
  });

const jwt = (payload: unknown): string =>
  ['{"alg":"none"}', JSON.stringify(payload), 'x'].map((part) => Buffer.from(part).toString('base64url')).join('.');

describe('a Bearer token', () => {
  test('is allowed when the authorization server says so, with what it says', async () => {
    server.reply('introspection', live());
    expect(await check()).toEqual({
      kind: 'allowed',
      scheme: 'Bearer',
      subject: 'a1',
      clientId: 'c1',
      scopes: ['openid', 'read', 'write', 'all_claims'],
      roles: ['api_user', 'administrator'],
      headers: [],
    });
  });

  test('is introspected with form-urlencoded client credentials, in the body alone', async () => {
    server.reply('introspection', live());
    await check('tok~1');
    const [asked] = server.asked('introspection');
    expect(asked?.method).toBe('POST');
    expect(Object.fromEntries(asked?.form ?? [])).toEqual({ token: 'tok~1', token_type_hint: 'access_token' });
    const pair = Buffer.from(String(asked?.headers.authorization).replace('Basic ', ''), 'base64').toString();
    expect(pair).toBe('res+ource%3A1:s%2Bc%2Fr%25t%3D%26');
  });

  test('is introspected at every request, so a revocation counts at once', async () => {
    const one = guard();
    server.reply('introspection', live());
    expect((await one.check({ authorization: 'Bearer tok', scope: ['read'] })).kind).toBe('allowed');
    server.reply('introspection', { active: false });
    expect((await one.check({ authorization: 'Bearer tok', scope: ['read'] })).kind).toBe('refused');
    expect(server.asked('introspection')).toHaveLength(2);
    expect(server.asked('metadata')).toHaveLength(1);
  });

  test.each([
    ['is inactive', { active: false }],
    ['is for another resource', { aud: 'https://other.example/api' }],
    ['is for this resource spelt otherwise', (resource: string) => ({ aud: `${resource}/` })],
    ['is for no resource', { aud: undefined }],
    ['is for several resources', (resource: string) => ({ aud: [resource, 'https://other.example/api'] })],
    ['is of another issuer', { iss: 'https://other.example' }],
    ['is of no issuer', { iss: undefined }],
    ['is a refresh token, which has no type', { token_type: undefined }],
    ['is of another type', { token_type: 'DPoP' }],
    ['is bound to a key', { cnf: { jkt: 'x' } }],
    ['has expired', { exp: nowSeconds }],
    ['has no expiry', { exp: undefined }],
    ['has an expiry that is no number', { exp: String(nowSeconds + 60) }],
    ['is about nobody', { sub: '' }],
  ])('that %s is refused with 401', async (_, change) => {
    server.reply('introspection', { ...live(), ...(typeof change === 'function' ? change(server.resource) : change) });
    const outcome = await check();
    expect(outcome).toMatchObject({ kind: 'refused', status: 401 });
    expect(challengesOf(outcome)).toHaveLength(1);
    expect(challengesOf(outcome)[0]?.parameters).toMatchObject({
      realm: 'arlo',
      error: expect.stringMatching(/^(invalid|expired)_token$/),
      scope: 'read',
      resource_metadata: server.resourceMetadata,
    });
  });

  test('may name this resource as a list of one, and its type in any case', async () => {
    server.reply('introspection', { ...live(), aud: [server.resource], token_type: 'bearer' });
    expect((await check()).kind).toBe('allowed');
  });

  test('that lacks a scope is refused with 403 and everything that the operation needs', async () => {
    server.reply('introspection', { ...live(), scope: 'openid read' });
    const outcome = await check('tok', ['read', 'write']);
    expect(outcome).toMatchObject({
      status: 403,
      body: { error: 'insufficient_scope', error_description: 'The access token lacks the scope write' },
    });
    expect(challengesOf(outcome)).toEqual([
      {
        scheme: 'Bearer',
        parameters: {
          realm: 'arlo',
          error: 'insufficient_scope',
          error_description: 'The access token lacks the scope write',
          scope: 'read write',
          resource_metadata: server.resourceMetadata,
          error_message: 'The access token lacks the scope write',
          scopes: 'read write',
        },
      },
    ]);
  });

  test('whose scope is not a text grants nothing', async () => {
    server.reply('introspection', { ...live(), scope: ['read'] });
    expect(await check()).toMatchObject({ status: 403 });
  });

  test.each([
    ['Bearer', 400, 'invalid_request'],
    ['Bearer a b', 400, 'invalid_request'],
    ['Bearer token="a"', 400, 'invalid_request'],
    ['Bearer a, Basic b', 400, 'invalid_request'],
    ['Bearer é', 401, 'invalid_token'],
    [`Bearer ${'x'.repeat(8_193)}`, 401, 'invalid_token'],
  ])('that is malformed (%s) is %i without asking anybody', async (authorization, code, error) => {
    const outcome = await guard().check({ authorization, scope: ['read'] });
    expect(outcome).toMatchObject({ status: code, body: { error } });
    expect(challengesOf(outcome)[0]?.parameters).toMatchObject({ error });
    expect(server.asked('introspection')).toEqual([]);
  });
});

describe('a token that says of itself that it expired', () => {
  const error = async (token: string) => challengesOf(await check(token))[0]?.parameters;

  test('is expired_token in the dialect that knows the code, for every sort of token', async () => {
    const expected = {
      error: 'expired_token',
      error_description: 'The access token has expired',
      error_message: 'The access token has expired',
    };
    expect(await error(opaque(nowSeconds))).toMatchObject(expected);
    expect(await error(jwt({ exp: nowSeconds - 1 }))).toMatchObject(expected);
    expect(await check(opaque(1))).toMatchObject({ status: 401, body: { error: 'expired_token' } });
  });

  test('is invalid_token without the dialect, and carries nothing of it', async () => {
    server.reply('metadata', { ...server.metadata, challenge_compatibility: undefined });
    const parameters = await error(opaque(1));
    expect(parameters).toMatchObject({ error: 'invalid_token', error_description: 'The access token has expired' });
    expect(Object.keys(parameters ?? {})).not.toContain('error_message');
  });

  test('is invalid_token while its time has not come, or cannot be read', async () => {
    for (const token of [opaque(nowSeconds + 1), jwt({ exp: nowSeconds + 1 }), jwt({}), jwt(null), 'a.b.c', 'tok', `${opaque(1)}x`]) {
      expect((await error(token))?.['error'], token).toBe('invalid_token');
    }
  });

  test('is allowed nevertheless when the authorization server says that it is good', async () => {
    server.reply('introspection', live());
    expect((await check(opaque(1))).kind).toBe('allowed');
  });
});

describe('an authorization server that cannot judge a token', () => {
  test.each([
    ['answers 500', status(500), 'unreachable', '5'],
    ['answers 503 and says when', status(503, { 'retry-after': '17' }), 'unreachable', '17'],
    ['is too busy', status(429, { 'retry-after': '99999999' }), 'unreachable', '3600'],
    ['says when in words', status(503, { 'retry-after': 'soon' }), 'unreachable', '5'],
    ['redirects', status(302, { location: 'https://elsewhere.example/' }), 'unusable_answer', '5'],
    ['answers with HTML', status(200, { 'content-type': 'text/html' }, '{"active":true}'), 'unusable_answer', '5'],
    ['answers with broken JSON', status(200, { 'content-type': 'application/json' }, '{"active":'), 'unusable_answer', '5'],
    ['answers with a list', status(200, { 'content-type': 'application/json' }, '[]'), 'unusable_answer', '5'],
    [
      'answers without end',
      status(200, { 'content-type': 'application/json' }, `{"active":false,"a":"${'x'.repeat(70_000)}"}`),
      'unusable_answer',
      '5',
    ],
    ['says neither yes nor no', { active: 'true' }, 'unusable_answer', '5'],
    ['refuses our client', status(401), 'client_refused', '5'],
  ])('that %s is 503 with Retry-After, never an allowance', async (_, reply, kind, retryAfter) => {
    server.reply('introspection', reply);
    const outcome = await check();
    expect(outcome).toMatchObject({ kind: 'refused', status: 503, body: { error: 'temporarily_unavailable' } });
    expect(headerOf(outcome, 'Retry-After')).toBe(retryAfter);
    expect(challengesOf(outcome)).toEqual([]);
    expect(problems).toMatchObject([{ kind }]);
  });

  test('that does not answer in time is 503', async () => {
    server.reply('introspection', () => {});
    const outcome = await guard({ timeoutMs: 100 }).check({ authorization: 'Bearer tok', scope: ['read'] });
    expect(outcome).toMatchObject({ status: 503 });
    expect(problems).toMatchObject([{ kind: 'unreachable', message: expect.stringContaining('within 100 ms') }]);
  });

  test('that refuses our client is told with what to fix, and without any secret', async () => {
    server.reply('introspection', status(401));
    await check('a-secret-token');
    expect(problems[0]?.message).toMatch(/check clientId and clientSecret.* serves http/);
    expect(JSON.stringify(problems)).not.toMatch(/s\+c|a-secret-token/);
  });

  test('is told of once a minute, not at every request', async () => {
    server.reply('introspection', status(500));
    let now = nowSeconds * 1000;
    const one = guard({ now: () => now });
    const ask = () => one.check({ authorization: 'Bearer tok', scope: [] });
    await ask();
    await ask();
    expect(problems).toHaveLength(1);
    now += 60_000;
    await ask();
    expect(problems).toHaveLength(2);
  });

  test('stays 503 when whoever is told fails', async () => {
    server.reply('introspection', status(500));
    const failing = guard({
      onProblem: () => {
        throw new Error('the log is full');
      },
    });
    expect(await failing.check({ authorization: 'Bearer tok', scope: [] })).toMatchObject({ status: 503 });
  });
});
