import { generateKeyPairSync, sign } from 'node:crypto';
import { SignJWT } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  canVerify,
  type GeneratedSigningKey,
  generateSigningKey,
  importSigningKey,
  type JwtRefusal,
  type PublicJwk,
  type SigningAlg,
  signingAlgs,
  signJwt,
  verifiableAlgs,
  verifyJwt,
} from '../src/index.ts';

/** What clients and identity providers sign, who are freer in their ways than we are. */
const now = Date.UTC(2026, 10, 21);
const claims = { iss: 'https://a.example', aud: 'client', exp: now / 1000 + 60 };

const generated = {} as Record<SigningAlg, GeneratedSigningKey>;
beforeAll(async () => {
  for (const alg of signingAlgs) generated[alg] = await generateSigningKey(alg);
});
const signed = (change: object = {}, typ = 'JWT'): Promise<string> =>
  signJwt({ key: importSigningKey(generated.EdDSA), typ, claims: { ...claims, ...change } });
/** Without a type, or by another name of the algorithm, as our own signer would not do it. */
const signedBy = (alg: string, key: SigningAlg, header: object = {}): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg, ...header }).sign(importSigningKey(generated[key]).privateKey);
const verify = (jwt: string, change: Partial<Parameters<typeof verifyJwt>[0]> = {}) =>
  verifyJwt({ typ: 'JWT', issuer: claims.iss, now, jwt, keys: signingAlgs.map((alg) => generated[alg].publicJwk), ...change });
const isGood = async (jwt: string, change: Partial<Parameters<typeof verifyJwt>[0]> = {}): Promise<boolean> =>
  (await verify(jwt, change)).outcome === 'verified';
const refused = (reason: JwtRefusal) => ({ outcome: 'refused', reason });

test('PS256 is taken where it is among the algorithms asked for, by an RSA key that is not for RS256 alone', async () => {
  const jwt = await signedBy('PS256', 'RS256', { typ: 'JWT' });
  const { alg: _, ...rsa } = generated.RS256.publicJwk;
  expect(await isGood(jwt, { algs: verifiableAlgs, keys: [rsa] })).toBe(true);
  expect(await verify(jwt, { keys: [rsa] })).toEqual(refused('algorithm_not_allowed'));
  expect(await verify(jwt, { algs: verifiableAlgs })).toEqual(refused('no_matching_key'));
});

test('EdDSA goes by the name of its curve as well (RFC 9864)', async () => {
  const jwt = await signedBy('Ed25519', 'EdDSA', { typ: 'JWT' });
  expect(await isGood(jwt)).toBe(true);
  expect(await isGood(jwt, { keys: [{ ...generated.EdDSA.publicJwk, alg: 'Ed25519' }] })).toBe(true);
  expect(await verify(jwt, { algs: ['ES256'] })).toEqual(refused('algorithm_not_allowed'));
});

test('the type is one of those asked for, and may be missing where that is allowed', async () => {
  const typ = ['JWT', 'client-authentication+jwt'];
  for (const each of [...typ, 'application/client-authentication+JWT']) expect(await isGood(await signed({}, each), { typ })).toBe(true);
  expect(await isGood(await signedBy('EdDSA', 'EdDSA'), { typ, mayOmitTyp: true })).toBe(true);
  expect(await verify(await signedBy('EdDSA', 'EdDSA'), { typ })).toEqual(refused('wrong_type'));
  for (const other of ['at+jwt', 'logout+jwt', ''])
    expect(await verify(await signed({}, other), { typ, mayOmitTyp: true })).toEqual(refused('wrong_type'));
});

describe('the audience', () => {
  const audience = ['client', 'also-the-client'];

  test('is one of those asked for', async () => {
    for (const aud of ['client', 'also-the-client', ['client', 'other']])
      expect(await isGood(await signed({ aud }), { audience })).toBe(true);
    for (const aud of ['other', [], undefined, ['other']])
      expect(await verify(await signed({ aud }), { audience })).toEqual(refused('wrong_audience'));
  });

  test('is nobody else where that is asked for', async () => {
    const sole = { audience, soleAudience: true };
    for (const aud of ['client', ['client'], ['also-the-client']]) expect(await isGood(await signed({ aud }), sole)).toBe(true);
    for (const aud of [['client', 'other'], ['client', 'client'], audience, [], undefined])
      expect(await verify(await signed({ aud }), sole)).toEqual(refused('wrong_audience'));
  });
});

describe('a public key', () => {
  test('is of use where it can verify one of the algorithms', () => {
    for (const alg of signingAlgs) expect(canVerify(generated[alg].publicJwk), alg).toBe(true);
    const [short, other, agreement] = [
      generateKeyPairSync('rsa', { modulusLength: 1024 }),
      generateKeyPairSync('ec', { namedCurve: 'P-384' }),
      generateKeyPairSync('x25519'),
    ].map(({ publicKey }) => publicKey.export({ format: 'jwk' }));
    const { publicJwk } = generated.EdDSA;
    for (const jwk of [short, other, agreement, { kty: 'oct' }, { kty: 'RSA' }, { ...publicJwk, use: 'enc' }])
      expect(canVerify(jwk as PublicJwk), JSON.stringify(jwk)).toBe(false);
  });

  test('of less than 2,048 bits verifies nothing', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const content = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`;
    const jwt = `${content}.${sign('sha256', Buffer.from(content), privateKey).toString('base64url')}`;
    expect(await verify(jwt, { keys: [publicKey.export({ format: 'jwk' }) as PublicJwk] })).toEqual(refused('bad_signature'));
  });
});
