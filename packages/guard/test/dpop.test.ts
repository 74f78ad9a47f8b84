import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createProofKey } from '../../../test/support/proof-key.ts';
import type { GuardOutcome, GuardRequest, UsedProof } from '../src/index.ts';
import { type BearerWorld, nowSeconds, openBearerWorld } from './bearer-world.ts';
import { challengesOf, headerOf } from './challenges.ts';

let world: BearerWorld;
const key = createProofKey();
const token = 'tok';
const path = '/arlo/api/2012-02-01/auth/resources/events';

beforeAll(async () => {
  world = await openBearerWorld();
});
afterAll(() => world.stop());
beforeEach(() => {
  world.reset();
  world.server.reply('introspection', bound());
});

const bound = (change: object = {}) => ({ ...world.live(), token_type: 'DPoP', cnf: { jkt: key.jkt }, ...change });
const proofOf = (claims: object = {}, by = key, header: object = {}): string =>
  by.proof({ method: 'GET', url: world.server.origin + path, token, claims: { iat: nowSeconds, ...claims }, header: { ...header } });
const shown = (dpop: string | readonly string[] | undefined, change: Partial<GuardRequest> = {}): Omit<GuardRequest, 'clientAddress'> => ({
  authorization: `DPoP ${token}`,
  scope: ['read'],
  request: { method: 'GET', url: path, headers: { dpop } },
  ...change,
});
const check = (dpop: string | readonly string[] | undefined, change: Partial<GuardRequest> = {}): Promise<GuardOutcome> =>
  world.guard().check(shown(dpop, change));

describe('a token that is bound to a key', () => {
  test.each(['DPoP', 'dpop', 'dPoP'])('is allowed with a proof, its scheme spelt %s', async (scheme) => {
    expect(await check(proofOf(), { authorization: `${scheme} ${token}` })).toMatchObject({
      kind: 'allowed',
      scheme: 'DPoP',
      subject: 'a1',
    });
  });

  test('is refused as Bearer, with a proof or without, and told how to be shown', async () => {
    for (const dpop of [undefined, proofOf()]) {
      const outcome = await check(dpop, { authorization: `Bearer ${token}` });
      expect(outcome).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
      const [bearer, proved, ...others] = challengesOf(outcome);
      expect(bearer).toMatchObject({
        scheme: 'Bearer',
        parameters: { error: 'invalid_token', resource_metadata: world.server.resourceMetadata },
      });
      expect(proved).toEqual({ scheme: 'DPoP', parameters: { algs: 'RS256 ES256 EdDSA PS256' } });
      expect(others).toEqual([]);
    }
  });

  test('is refused by a challenge of the scheme DPoP that names everything', async () => {
    const outcome = await check(undefined);
    expect(challengesOf(outcome)).toEqual([
      {
        scheme: 'DPoP',
        parameters: {
          realm: 'arlo',
          error: 'invalid_dpop_proof',
          error_description: 'A DPoP header with a proof is required beside this access token',
          error_message: 'A DPoP header with a proof is required beside this access token',
          scope: 'read',
          resource_metadata: world.server.resourceMetadata,
          algs: 'RS256 ES256 EdDSA PS256',
        },
      },
    ]);
    expect(outcome).toMatchObject({ status: 401, body: { error: 'invalid_dpop_proof' } });
  });

  test.each([
    ['typ', {}, { typ: 'JWT' }],
    ['alg', {}, { alg: 'none' }],
    ['jwk', {}, { jwk: { kty: 'oct', k: 'AAAA' } }],
    ['crit', {}, { crit: ['x'] }],
    ['htm', { htm: 'POST' }, {}],
    ['htu', { htu: 'https://other.example/arlo' }, {}],
    ['jti', { jti: '' }, {}],
    ['iat missing', { iat: undefined }, {}],
    ['iat long ago', { iat: nowSeconds - 61 }, {}],
    ['iat to come', { iat: nowSeconds + 61 }, {}],
    ['ath', { ath: 'another' }, {}],
    ['ath missing', { ath: undefined }, {}],
  ])('is refused with a proof whose %s is wrong', async (_, claims, header) => {
    const outcome = await check(proofOf(claims, key, header));
    expect(outcome).toMatchObject({ kind: 'refused', status: 401, body: { error: 'invalid_dpop_proof' } });
    expect(world.problems).toEqual([]);
  });

  test('is refused with a good proof of another key', async () => {
    expect(await check(proofOf({}, createProofKey()))).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
  });

  test('is refused with several proofs', async () => {
    expect(await check([proofOf(), proofOf()])).toMatchObject({ status: 401, body: { error: 'invalid_dpop_proof' } });
    expect(await check(`${proofOf()}, ${proofOf()}`)).toMatchObject({ status: 401, body: { error: 'invalid_dpop_proof' } });
  });

  test('is refused while it is dead, for another resource or lacks a scope, whatever its proof', async () => {
    world.server.reply('introspection', { active: false });
    expect(await check(proofOf())).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
    world.server.reply('introspection', bound({ aud: 'https://other.example' }));
    expect(await check(proofOf())).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
    world.server.reply('introspection', bound({ scope: 'openid' }));
    const lacking = await check(proofOf());
    expect(lacking).toMatchObject({ status: 403, body: { error: 'insufficient_scope' } });
    expect(challengesOf(lacking)).toMatchObject([{ scheme: 'DPoP', parameters: { error: 'insufficient_scope', scope: 'read' } }]);
  });

  test.each([
    ['by a certificate', { cnf: { 'x5t#S256': 'x' } }],
    ['by a key and a certificate', { cnf: { jkt: key.jkt, 'x5t#S256': 'x' } }],
    ['by nothing that it names', { cnf: {} }],
    ['by no text', { cnf: { jkt: 1 } }],
    ['by its type alone', { cnf: undefined }],
    ['by its key alone', { token_type: 'Bearer' }],
  ])('%s is none that can be shown here', async (_, change) => {
    world.server.reply('introspection', bound(change));
    for (const scheme of ['DPoP', 'Bearer'])
      expect(await check(proofOf(), { authorization: `${scheme} ${token}` })).toMatchObject({
        status: 401,
        body: { error: 'invalid_token' },
      });
  });
});

test('a token that is bound to no key is refused with the scheme DPoP', async () => {
  world.server.reply('introspection', world.live());
  const outcome = await check(proofOf());
  expect(outcome).toMatchObject({ status: 401, body: { error: 'invalid_token', error_description: expect.stringContaining('Bearer') } });
  expect(challengesOf(outcome)).toMatchObject([{ scheme: 'DPoP' }]);
  expect(await check(proofOf(), { authorization: `Bearer ${token}` })).toMatchObject({ kind: 'allowed', scheme: 'Bearer' });
});

describe('a proof', () => {
  test('is good once for a guard and all that stand beside it, and stays good where it was refused', async () => {
    const guard = world.guard();
    const wrongPlace = shown(proofOf({ jti: 'one' }), { url: 'https://elsewhere.example/' });
    expect(await guard.check(wrongPlace)).toMatchObject({ status: 401 });
    const dpop = proofOf({ jti: 'one' });
    expect(await guard.check(shown(dpop))).toMatchObject({ kind: 'allowed' });
    expect(await guard.check(shown(dpop))).toMatchObject({ body: { error_description: expect.stringContaining('used before') } });
    expect(await guard.check(shown(proofOf({ jti: 'two' })))).toMatchObject({ kind: 'allowed' });
  });

  test('is good once of 50 at the same time', async () => {
    const guard = world.guard();
    const dpop = proofOf();
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => guard.check(shown(dpop))));
    expect(outcomes.filter(({ kind }) => kind === 'allowed')).toHaveLength(1);
  });

  test('is forgotten once its time refuses it', async () => {
    let now = nowSeconds * 1000;
    const guard = world.guard({ now: () => now });
    world.server.reply('introspection', bound({ exp: nowSeconds + 1_000 }));
    expect(await guard.check(shown(proofOf({ jti: 'one' })))).toMatchObject({ kind: 'allowed' });
    now += 61_000;
    expect(await guard.check(shown(proofOf({ jti: 'one' })))).toMatchObject({ status: 401 });
    // The same name in a later proof is another proof.
    expect(await guard.check(shown(proofOf({ jti: 'one', iat: nowSeconds + 61 })))).toMatchObject({ kind: 'allowed' });
  });

  test('is taken where the resource server says, and nobody is let in while that fails', async () => {
    const taken: UsedProof[] = [];
    const guard = world.guard({ spendProof: (proof) => taken.push(proof) === 1 });
    expect(await guard.check(shown(proofOf()))).toMatchObject({ kind: 'allowed' });
    expect(await guard.check(shown(proofOf()))).toMatchObject({ status: 401, body: { error: 'invalid_dpop_proof' } });
    expect(taken).toEqual([0, 1].map(() => ({ id: expect.stringMatching(/^[\w-]{43}$/), until: nowSeconds + 60 })));

    const failing = world.guard({ spendProof: () => Promise.reject(new Error('a secret place')) });
    const outcome = await failing.check(shown(proofOf()));
    expect([outcome.kind, headerOf(outcome, 'Retry-After')]).toEqual(['refused', '5']);
    expect(world.problems).toEqual([{ kind: 'proofs_not_kept', message: expect.not.stringContaining('secret') }]);
  });

  test('names the URL as the client knows it, its query aside', async () => {
    const publicUrl = 'https://api.example.com/v1/events';
    const dpop = () => proofOf({ htu: publicUrl });
    expect(await check(dpop(), { url: `${publicUrl}?page=2` })).toMatchObject({ kind: 'allowed' });
    expect(await check(dpop())).toMatchObject({ status: 401 });
    expect(await check(proofOf(), { request: { method: 'GET', url: `${path}?page=2`, headers: { dpop: proofOf() } } })).toMatchObject({
      kind: 'allowed',
    });
  });

  test('is not believed where the request names a URL of its own making', async () => {
    const dpop = proofOf({ htu: 'https://evil.example/x' });
    for (const url of ['https://evil.example/x', '//evil.example/x'])
      expect(await check(dpop, { request: { method: 'GET', url, headers: { dpop } } })).toMatchObject({ status: 401 });
  });

  test.each([
    ['the request', { request: undefined }],
    ['its method', { request: { url: path, headers: {} } }],
    ['its URL', { request: { method: 'GET', headers: {} } }],
  ])('cannot be judged without %s: 503, and somebody hears of it', async (_, change) => {
    const outcome = await check(undefined, change);
    expect(outcome).toMatchObject({ kind: 'refused', status: 503 });
    expect(world.problems).toEqual([{ kind: 'no_request', message: expect.stringContaining('request') }]);
  });
});
