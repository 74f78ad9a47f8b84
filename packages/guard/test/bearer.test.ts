import { mintToken } from '@grantlog/crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type BearerWorld, nowSeconds, openBearerWorld } from './bearer-world.ts';
import { challengesOf } from './challenges.ts';

let world: BearerWorld;

beforeAll(async () => {
  world = await openBearerWorld();
});
afterAll(() => world.stop());
beforeEach(() => world.reset());

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
    world.server.reply('introspection', world.live());
    expect(await world.check()).toEqual({
      kind: 'allowed',
      scheme: 'Bearer',
      subject: 'a1',
      clientId: 'c1',
      expiresAt: nowSeconds + 1,
      scopes: ['openid', 'read', 'write', 'all_claims'],
      roles: ['api_user', 'administrator'],
      context: null,
      contexts: [],
      headers: [],
    });
  });

  test('is introspected with form-urlencoded client credentials, in the body alone', async () => {
    world.server.reply('introspection', world.live());
    await world.check('tok~1');
    const [asked] = world.server.asked('introspection');
    expect(asked?.method).toBe('POST');
    expect(Object.fromEntries(asked?.form ?? [])).toEqual({ token: 'tok~1', token_type_hint: 'access_token' });
    const pair = Buffer.from(String(asked?.headers.authorization).replace('Basic ', ''), 'base64').toString();
    expect(pair).toBe('res+ource%3A1:s%2Bc%2Fr%25t%3D%26');
  });

  test('is introspected at every request, so a revocation counts at once', async () => {
    const one = world.guard();
    world.server.reply('introspection', world.live());
    expect((await one.check({ authorization: 'Bearer tok', scope: ['read'] })).kind).toBe('allowed');
    world.server.reply('introspection', { active: false });
    expect((await one.check({ authorization: 'Bearer tok', scope: ['read'] })).kind).toBe('refused');
    expect(world.server.asked('introspection')).toHaveLength(2);
    expect(world.server.asked('metadata')).toHaveLength(1);
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
    world.server.reply('introspection', { ...world.live(), ...(typeof change === 'function' ? change(world.server.resource) : change) });
    const outcome = await world.check();
    expect(outcome).toMatchObject({ kind: 'refused', status: 401 });
    expect(challengesOf(outcome)).toHaveLength(1);
    expect(challengesOf(outcome)[0]?.parameters).toMatchObject({
      realm: 'arlo',
      error: expect.stringMatching(/^(invalid|expired)_token$/),
      scope: 'read',
      resource_metadata: world.server.resourceMetadata,
    });
  });

  test('may name this resource as a list of one, and its type in any case', async () => {
    world.server.reply('introspection', { ...world.live(), aud: [world.server.resource], token_type: 'bearer' });
    expect((await world.check()).kind).toBe('allowed');
  });

  test('that lacks a scope is refused with 403 and everything that the operation needs', async () => {
    world.server.reply('introspection', { ...world.live(), scope: 'openid read' });
    const outcome = await world.check('tok', ['read', 'write']);
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
          resource_metadata: world.server.resourceMetadata,
          error_message: 'The access token lacks the scope write',
          scopes: 'read write',
        },
      },
    ]);
  });

  test('whose scope is not a text grants nothing', async () => {
    world.server.reply('introspection', { ...world.live(), scope: ['read'] });
    expect(await world.check()).toMatchObject({ status: 403 });
  });

  test.each([
    ['Bearer', 400, 'invalid_request'],
    ['Bearer a b', 400, 'invalid_request'],
    ['Bearer token="a"', 400, 'invalid_request'],
    ['Bearer a, Basic b', 400, 'invalid_request'],
    ['Bearer é', 401, 'invalid_token'],
    [`Bearer ${'x'.repeat(8_193)}`, 401, 'invalid_token'],
  ])('that is malformed (%s) is %i without asking anybody', async (authorization, code, error) => {
    const outcome = await world.guard().check({ authorization, scope: ['read'] });
    expect(outcome).toMatchObject({ status: code, body: { error } });
    expect(challengesOf(outcome)[0]?.parameters).toMatchObject({ error });
    expect(world.server.asked('introspection')).toEqual([]);
  });
});

describe('the Authorization header', () => {
  test.each(['bearer tok', 'BEARER tok', 'Bearer   tok'])('may spell its scheme %j', async (authorization) => {
    world.server.reply('introspection', world.live());
    expect((await world.guard().check({ authorization, scope: ['read'] })).kind).toBe('allowed');
  });

  test('may come in a list of one, as node:http gives it', async () => {
    world.server.reply('introspection', world.live());
    expect((await world.guard().check({ authorization: ['Bearer tok'], scope: ['read'] })).kind).toBe('allowed');
    expect(await world.guard().check({ authorization: [], scope: ['read'] })).toMatchObject({
      status: 401,
      body: { error: 'not_authenticated' },
    });
  });

  test.each([[['Bearer tok', 'Bearer tok']], [['Bearer tok', 'Basic YTpi']], [['Basic YTpi', 'Bearer tok']]])(
    'that comes twice is refused with 400, and neither is sent to anybody (%j)',
    async (authorization) => {
      world.server.reply('introspection', world.live());
      const outcome = await world.guard().check({ authorization, scope: ['read'] });
      expect(outcome).toMatchObject({ status: 400, body: { error: 'invalid_request', error_description: expect.stringContaining('one') } });
      expect([...world.server.asked('introspection'), ...world.server.asked('basic')]).toEqual([]);
    },
  );
});

test('scopes that are parted by spaces are each asked for', async () => {
  world.server.reply('introspection', world.live());
  for (const scope of ['read write', ['read write'], ['read', ' write ']])
    expect((await world.guard().check({ authorization: 'Bearer tok', scope })).kind, JSON.stringify(scope)).toBe('allowed');
  world.server.reply('introspection', { ...world.live(), scope: 'read' });
  const outcome = await world.guard().check({ authorization: 'Bearer tok', scope: ['read write'] });
  expect(outcome).toMatchObject({ status: 403, body: { error_description: 'The access token lacks the scope write' } });
  for (const none of ['', []]) expect((await world.guard().check({ authorization: 'Bearer tok', scope: none })).kind).toBe('allowed');
});

describe('a token that says of itself that it expired', () => {
  const error = async (token: string) => challengesOf(await world.check(token))[0]?.parameters;

  test('is expired_token in the dialect that knows the code, for every sort of token', async () => {
    const expected = {
      error: 'expired_token',
      error_description: 'The access token has expired',
      error_message: 'The access token has expired',
    };
    expect(await error(opaque(nowSeconds))).toMatchObject(expected);
    expect(await error(jwt({ exp: nowSeconds - 1 }))).toMatchObject(expected);
    expect(await world.check(opaque(1))).toMatchObject({ status: 401, body: { error: 'expired_token' } });
  });

  test('is invalid_token without the dialect, and carries nothing of it', async () => {
    world.server.reply('metadata', { ...world.server.metadata, challenge_compatibility: undefined });
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
    world.server.reply('introspection', world.live());
    expect((await world.check(opaque(1))).kind).toBe('allowed');
  });
});
