import { generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { calculateJwkThumbprint, decodeProtectedHeader, importJWK, type JWK, jwtVerify, SignJWT } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type GeneratedSigningKey,
  generateSigningKey,
  hashClaim,
  importSigningKey,
  type JwtRefusal,
  signingAlgs,
  signJwt,
  verifyJwt,
} from '../src/index.ts';
import type { SigningAlg } from '../src/signing-keys.ts';

const now = Date.UTC(2026, 10, 21);
const seconds = now / 1000;
const claims = { iss: 'https://a.example', aud: 'client', sub: 's', iat: seconds, exp: seconds + 60, text: 'é' };
const expected = { typ: 'JWT', issuer: claims.iss, audience: claims.aud, now };

const generated = {} as Record<SigningAlg, GeneratedSigningKey>;
beforeAll(async () => {
  for (const alg of signingAlgs) generated[alg] = await generateSigningKey(alg);
});
const signed = (alg: SigningAlg, change: object = {}, typ = 'JWT'): Promise<string> =>
  signJwt({ key: importSigningKey(generated[alg]), typ, claims: { ...claims, ...change } });
const verify = (jwt: string, change: Partial<Parameters<typeof verifyJwt>[0]> = {}) =>
  verifyJwt({ ...expected, jwt, keys: signingAlgs.map((alg) => generated[alg].publicJwk), ...change });
const refused = (reason: JwtRefusal) => ({ outcome: 'refused', reason });
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe.each(signingAlgs)('a key for %s', (alg) => {
  test('is named by its RFC 7638 thumbprint and shows nothing private', async () => {
    const { kid, publicJwk } = generated[alg];
    expect(kid).toBe(await calculateJwkThumbprint(publicJwk as JWK));
    expect(publicJwk).toMatchObject({ kid, alg, use: 'sig' });
    for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi']) expect(publicJwk).not.toHaveProperty(member);
  });

  test('comes back from its stored bytes, and serialises to nothing private', () => {
    const key = importSigningKey(generated[alg]);
    expect(key.publicJwk).toEqual(generated[alg].publicJwk);
    expect(JSON.parse(JSON.stringify(key)).privateKey).toEqual({});
  });

  test('is refused for the other algorithms', () => {
    for (const other of signingAlgs) {
      if (other !== alg) expect(() => importSigningKey({ ...generated[alg], alg: other })).toThrow(RangeError);
    }
  });

  test('signs what jose verifies', async () => {
    const jwt = await signed(alg);
    const { payload, protectedHeader } = await jwtVerify(jwt, await importJWK(generated[alg].publicJwk as JWK, alg), {
      currentDate: new Date(now),
    });
    expect(payload).toEqual(claims);
    expect(protectedHeader).toEqual({ alg, typ: 'JWT', kid: generated[alg].kid });
  });

  test('verifies what jose signs', async () => {
    const jwt = await new SignJWT(claims).setProtectedHeader({ alg, typ: 'JWT' }).sign(importSigningKey(generated[alg]).privateKey);
    expect(await verify(jwt)).toEqual({ outcome: 'verified', claims, kid: generated[alg].kid });
  });

  test('does not verify with any one character of the signature or content replaced', async () => {
    const jwt = await signed(alg);
    await fc.assert(
      fc.asyncProperty(fc.nat(jwt.length - 1), fc.constantFrom(...'AZaz09-_'), async (at, character) => {
        fc.pre(jwt[at] !== character && jwt[at] !== '.');
        expect((await verify(jwt.slice(0, at) + character + jwt.slice(at + 1))).outcome).toBe('refused');
      }),
      { numRuns: 60 },
    );
  });

  test('does not verify what another key of its kind signed under its name', async () => {
    const other = importSigningKey({ ...(await generateSigningKey(alg)), kid: generated[alg].kid });
    expect(await verify(await signJwt({ key: other, typ: 'JWT', claims }))).toEqual(refused('bad_signature'));
  });
});

test.each(['RS256', 'EdDSA'] as const)(
  '%s gives the same JWT for the same claims, so that a lost response can be repeated',
  async (alg) => {
    expect(await signed(alg)).toBe(await signed(alg));
  },
);

test('a key of less than 2,048 bits is refused', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' });
  expect(() => importSigningKey({ alg: 'RS256', kid: 'k', pkcs8 })).toThrow('key k is not one for RS256');
});

test('a P-384 key is refused for ES256', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' });
  expect(() => importSigningKey({ alg: 'ES256', kid: 'k', pkcs8 })).toThrow(RangeError);
});

test('the Ed25519 key of RFC 8037 has the public key and thumbprint printed there', async () => {
  const seed = Buffer.from('nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A', 'base64url');
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const { publicJwk } = importSigningKey({ alg: 'EdDSA', kid: 'k', pkcs8 });
  expect(publicJwk.x).toBe('11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo');
  expect(await calculateJwkThumbprint(publicJwk as JWK)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
});

describe('verification accepts', () => {
  test.each(['RS256', 'ES256', 'EdDSA'] as const)('what %s signed, and answers its claims', async (alg) => {
    expect(await verify(await signed(alg))).toEqual({ outcome: 'verified', claims, kid: generated[alg].kid });
  });

  test('one audience of several, or any when none is asked for', async () => {
    expect((await verify(await signed('EdDSA', { aud: ['other', 'client'] }))).outcome).toBe('verified');
    const { audience: _, ...withoutAudience } = expected;
    const jwt = await signed('EdDSA', { aud: 'anyone' });
    expect((await verifyJwt({ ...withoutAudience, jwt, keys: [generated.EdDSA.publicJwk] })).outcome).toBe('verified');
  });

  test('a type in its long form and any case', async () => {
    expect((await verify(await signed('EdDSA', {}, 'application/AT+JWT'), { typ: 'at+jwt' })).outcome).toBe('verified');
  });

  test('an expired JWT, or one without expiry, only where expiry is to be ignored', async () => {
    for (const exp of [seconds - 1, undefined]) {
      expect((await verify(await signed('EdDSA', { exp }), { ignoreExpiry: true })).outcome).toBe('verified');
    }
  });

  test('clocks that differ by the tolerance and no more', async () => {
    const early = await signed('EdDSA', { nbf: seconds + 5 });
    expect((await verify(early, { toleranceSeconds: 5 })).outcome).toBe('verified');
    expect(await verify(early, { toleranceSeconds: 4 })).toEqual(refused('not_yet_valid'));
    const late = await signed('EdDSA', { exp: seconds - 5 });
    expect((await verify(late, { toleranceSeconds: 6 })).outcome).toBe('verified');
    expect(await verify(late, { toleranceSeconds: 5 })).toEqual(refused('expired'));
  });
});

describe('verification refuses', () => {
  test.each<[string, object, JwtRefusal]>([
    ['another issuer', { iss: 'https://b.example' }, 'wrong_issuer'],
    ['an issuer with a slash added', { iss: 'https://a.example/' }, 'wrong_issuer'],
    ['no issuer', { iss: undefined }, 'wrong_issuer'],
    ['another audience', { aud: 'other' }, 'wrong_audience'],
    ['an audience that only contains ours', { aud: 'client2' }, 'wrong_audience'],
    ['no audience', { aud: undefined }, 'wrong_audience'],
    ['expiry at this very second', { exp: seconds }, 'expired'],
    ['expiry as text', { exp: String(seconds + 60) }, 'malformed'],
    ['no expiry', { exp: undefined }, 'no_expiry'],
    ['a start in the future', { nbf: seconds + 1 }, 'not_yet_valid'],
    ['a start as text', { nbf: '0' }, 'malformed'],
  ])('%s', async (_, change, reason) => {
    expect(await verify(await signed('EdDSA', change))).toEqual(refused(reason));
  });

  test('another type, or none', async () => {
    expect(await verify(await signed('EdDSA', {}, 'at+jwt'))).toEqual(refused('wrong_type'));
    const untyped = await new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA' }).sign(importSigningKey(generated.EdDSA).privateKey);
    expect(await verify(untyped)).toEqual(refused('wrong_type'));
  });

  test('`none`, with and without a signature', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', null, undefined]) {
      const content = `${encode({ alg, typ: 'JWT' })}.${encode(claims)}`;
      expect(await verify(`${content}.`)).toEqual(refused('algorithm_not_allowed'));
      expect(await verify(`${content}.AAAA`)).toEqual(refused('algorithm_not_allowed'));
    }
  });

  test('an HMAC made with the public key', async () => {
    const { publicJwk } = generated.RS256;
    const secret = Buffer.from(JSON.stringify(publicJwk));
    const jwt = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: publicJwk.kid ?? '' }).sign(secret);
    expect(await verify(jwt)).toEqual(refused('algorithm_not_allowed'));
  });

  test.each(['RS384', 'PS256', 'ES384', 'Ed448'])('the algorithm %s', async (alg) => {
    expect(await verify(`${encode({ alg, typ: 'JWT' })}.${encode(claims)}.AAAA`)).toEqual(refused('algorithm_not_allowed'));
  });

  test('a key that the header brings or points to', async () => {
    const stranger = await generateSigningKey('EdDSA');
    for (const extra of [{ jwk: stranger.publicJwk }, { jku: 'https://evil.example/jwks.json' }, { x5u: 'https://evil.example/x' }]) {
      for (const kid of [generated.EdDSA.kid, undefined]) {
        const content = `${encode({ alg: 'EdDSA', typ: 'JWT', kid, ...extra })}.${encode(claims)}`;
        const signature = sign(null, Buffer.from(content), importSigningKey(stranger).privateKey).toString('base64url');
        expect(await verify(`${content}.${signature}`)).toEqual(refused('bad_signature'));
      }
    }
  });

  test('a critical header, or an unencoded payload', async () => {
    for (const extra of [{ crit: ['x'], x: 1 }, { crit: ['b64'], b64: false }, { b64: false }, { crit: [] }]) {
      const content = `${encode({ alg: 'EdDSA', typ: 'JWT', kid: generated.EdDSA.kid, ...extra })}.${encode(claims)}`;
      const signature = sign(null, Buffer.from(content), importSigningKey(generated.EdDSA).privateKey).toString('base64url');
      expect(await verify(`${content}.${signature}`)).toEqual(refused('critical_header'));
    }
  });

  test('a key of another algorithm, of another name, for encryption, or one of two without a name', async () => {
    const jwt = await signed('EdDSA');
    const { publicJwk, kid } = generated.EdDSA;
    expect(await verify(jwt, { keys: [] })).toEqual(refused('no_matching_key'));
    expect(await verify(jwt, { keys: [{ ...generated.RS256.publicJwk, kid }] })).toEqual(refused('no_matching_key'));
    expect(await verify(jwt, { keys: [{ ...publicJwk, kid: 'other' }] })).toEqual(refused('no_matching_key'));
    expect(await verify(jwt, { keys: [{ ...publicJwk, use: 'enc' }] })).toEqual(refused('no_matching_key'));
    expect(await verify(jwt, { keys: [{ ...publicJwk, alg: 'ES256' }] })).toEqual(refused('no_matching_key'));
    expect(await verify(jwt, { keys: [{ kty: 'OKP', kid, crv: 'Ed25519', x: 'short' }] })).toEqual(refused('no_matching_key'));
    const unnamed = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT' })
      .sign(importSigningKey(generated.EdDSA).privateKey);
    expect(decodeProtectedHeader(unnamed).kid).toBeUndefined();
    expect(await verify(unnamed, { keys: [publicJwk, { ...publicJwk, kid: 'second' }] })).toEqual(refused('no_matching_key'));
  });

  test('other spellings of a good JWT', async () => {
    const jwt = await signed('RS256');
    const [header = '', payload = '', signature = ''] = jwt.split('.');
    const spellings = [
      ` ${jwt}`,
      `${jwt}\n`,
      `${jwt}=`,
      `${jwt}.`,
      `.${jwt}`,
      `${header}.${payload}`,
      `${header}.${payload}.${signature}.x`,
      `${header}==.${payload}.${signature}`,
    ];
    for (const spelling of spellings) expect(await verify(spelling)).toEqual(refused('malformed'));
  });

  test('whatever is no JWT, without throwing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.array(fc.jsonValue().map(encode), { minLength: 3, maxLength: 3 }).map((parts) => parts.join('.')),
        ),
        async (text) => {
          expect((await verify(text)).outcome).toBe('refused');
        },
      ),
    );
  });
});

describe('hashClaim', () => {
  test('gives the at_hash and c_hash printed in OpenID Connect Core appendix A', () => {
    expect(hashClaim('RS256', 'jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y')).toBe('77QmUPtjPfzWtF2AnpK9RQ');
    expect(hashClaim('RS256', 'Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk')).toBe('LDktKdoQak3Pk0cnXxCltA');
  });

  test('is 16 bytes of SHA-256 for ES256 and 32 of SHA-512 for Ed25519', () => {
    expect(hashClaim('ES256', 'abc')).toBe(hashClaim('RS256', 'abc'));
    expect(Buffer.from(hashClaim('EdDSA', 'abc'), 'base64url').toString('hex')).toBe(
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a',
    );
  });
});
