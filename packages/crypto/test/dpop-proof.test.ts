import { calculateJwkThumbprint, type JWK } from 'jose';
import { describe, expect, test } from 'vitest';
import { verifiableAlgs, verifyDpopProof } from '../src/index.ts';
import { athOf, makeProofKey, type ProofKey, proofBy } from './support/proofs.ts';

const now = 1_800_000_000;
const target = 'https://auth.example.com/acme/oauth/token';
const es = makeProofKey('ES256');
const good = { jti: 'one', htm: 'POST', htu: target, iat: now };
const request = { method: 'POST', targets: [target], accessToken: null };

const verify = (proof: string, change: Partial<Parameters<typeof verifyDpopProof>[0]> = {}) =>
  verifyDpopProof({ ...request, proof, ...change });
const refusal = async (claims: object, header: object = {}, key: ProofKey = es): Promise<unknown> => {
  const verified = await verify(proofBy(key, { ...good, ...claims }, { ...header }));
  return verified.outcome === 'refused' ? verified.reason : 'verified';
};

describe.each(verifiableAlgs)('a proof by %s', (alg) => {
  test('is verified, and names the RFC 7638 thumbprint of its key', async () => {
    const key = makeProofKey(alg);
    const verified = await verify(proofBy(key, good));
    expect(verified).toMatchObject({ outcome: 'verified', jkt: await calculateJwkThumbprint(key.jwk as JWK) });
  });

  test('is refused with the signature of another proof', async () => {
    const key = makeProofKey(alg);
    const [header, claims] = proofBy(key, good).split('.');
    const [, , signature] = proofBy(key, { ...good, jti: 'two' }).split('.');
    expect(await verify(`${header}.${claims}.${signature}`)).toEqual({ outcome: 'refused', reason: 'bad_signature' });
  });
});

describe('the header of a proof', () => {
  test.each([
    ['typ', { typ: 'JWT' }, 'wrong_type'],
    ['typ missing', { typ: undefined }, 'wrong_type'],
    ['alg none', { alg: 'none' }, 'algorithm_not_allowed'],
    ['alg symmetric', { alg: 'HS256' }, 'algorithm_not_allowed'],
    ['alg that is weak', { alg: 'RS1' }, 'algorithm_not_allowed'],
    ['alg missing', { alg: undefined }, 'algorithm_not_allowed'],
    ['alg of another kind of key', { alg: 'EdDSA' }, 'unusable_key'],
    ['crit', { crit: ['exp'], exp: now }, 'critical_header'],
    ['an unencoded payload', { b64: false }, 'critical_header'],
    ['jwk missing', { jwk: undefined }, 'unusable_key'],
    ['jwk by reference', { jwk: undefined, jku: 'https://a.example/jwks', kid: '1' }, 'unusable_key'],
    ['jwk a text', { jwk: 'key' }, 'unusable_key'],
    ['jwk symmetric', { jwk: { kty: 'oct', k: 'AAAA' } }, 'unusable_key'],
    ['jwk not on its curve', { jwk: { ...es.jwk, x: es.jwk['y'] } }, 'unusable_key'],
    ['jwk of another key', { jwk: makeProofKey('ES256').jwk }, 'bad_signature'],
  ])('is refused for %s', async (_, header, reason) => {
    expect(await refusal({}, header)).toBe(reason);
  });

  test.each(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])('is refused where the jwk has the private member %s', async (member) => {
    expect(await refusal({}, { jwk: { ...es.jwk, [member]: 'AQAB' } })).toBe('unusable_key');
  });

  test.each([
    ['RSA of 1024 bits', makeProofKey('RS256', 1_024)],
    ['RSA of 1024 bits for PSS', { ...makeProofKey('RS256', 1_024), alg: 'PS256' }],
    ['RSA of more bits than are worth verifying', makeProofKey('RS256', 5_120)],
  ])('is refused for a key of %s', async (_, key) => {
    expect(await refusal({}, {}, key)).toBe('unusable_key');
  });

  test('is refused for an RSA key of exponent 1, under which everything is signed', async () => {
    const { jwk } = makeProofKey('RS256');
    expect(await refusal({}, { alg: 'RS256', jwk: { ...jwk, e: 'AQ' } })).toBe('unusable_key');
  });

  test('may spell its typ in any case, and Ed25519 as RFC 9864 does', async () => {
    expect(await refusal({}, { typ: 'DPoP+JWT' })).toBe('verified');
    expect(await refusal({}, { alg: 'Ed25519' }, makeProofKey('EdDSA'))).toBe('verified');
  });
});

describe('the claims of a proof', () => {
  test.each([
    ['jti missing', { jti: undefined }, 'no_id'],
    ['jti empty', { jti: '' }, 'no_id'],
    ['jti no text', { jti: 1 }, 'no_id'],
    ['jti too long', { jti: 'x'.repeat(257) }, 'no_id'],
    ['htm of another method', { htm: 'GET' }, 'wrong_method'],
    ['htm in lower case', { htm: 'post' }, 'wrong_method'],
    ['htm missing', { htm: undefined }, 'wrong_method'],
    ['htu missing', { htu: undefined }, 'wrong_target'],
    ['htu a path alone', { htu: '/acme/oauth/token' }, 'wrong_target'],
    ['htu of another path', { htu: 'https://auth.example.com/acme/oauth/revoke' }, 'wrong_target'],
    ['htu of another platform', { htu: 'https://auth.example.com/other/oauth/token' }, 'wrong_target'],
    ['iat missing', { iat: undefined }, 'no_time'],
    ['iat a text', { iat: String(now) }, 'no_time'],
    ['iat below zero', { iat: -1 }, 'no_time'],
    ['iat beyond every calendar', { iat: 1e300 }, 'no_time'],
    ['nbf a text', { nbf: 'now' }, 'no_time'],
    ['exp a text', { exp: 'later' }, 'no_time'],
  ])('are refused for %s', async (_, claims, reason) => {
    expect(await refusal(claims)).toBe(reason);
  });

  test('may have a jti of 256 characters', async () => {
    expect(await refusal({ jti: 'x'.repeat(256) })).toBe('verified');
  });

  test('hold for a minute either way, and no longer than the proof says of itself', async () => {
    const windowOf = async (claims: object) => {
      const { from, until } = (await verify(proofBy(es, { ...good, ...claims }))) as { readonly from: number; readonly until: number };
      return [from - now, until - now];
    };
    expect(await windowOf({})).toEqual([-60, 60]);
    expect(await windowOf({ iat: now + 0.5 })).toEqual([-59.5, 60.5]);
    // As the conformance suite sends them: from now, for five minutes.
    expect(await windowOf({ nbf: now, exp: now + 300 })).toEqual([-60, 60]);
    expect(await windowOf({ nbf: now + 90, exp: now + 30 })).toEqual([30, 30]);
  });

  test('name the access token that came along, and no other', async () => {
    const accessToken = 'acme_a_token';
    const of = async (claims: object) => (await verify(proofBy(es, { ...good, ...claims }), { accessToken })).outcome;
    expect(await of({ ath: athOf(accessToken) })).toBe('verified');
    for (const ath of [undefined, '', athOf('another'), `${athOf(accessToken)}=`, accessToken])
      expect(await of({ ath }), ath).toBe('refused');
    // Where no token came, what it names plays no part.
    expect(await refusal({ ath: athOf('another') })).toBe('verified');
  });
});

describe('the id of a proof', () => {
  const idOf = async (key: ProofKey, jti: string): Promise<string> => {
    const verified = await verify(proofBy(key, { ...good, jti }));
    return verified.outcome === 'verified' ? Buffer.from(verified.id).toString('hex') : verified.reason;
  };

  test('is the same for the same key and jti, whatever else the proof says', async () => {
    expect(await idOf(es, 'one')).toBe(await idOf(es, 'one'));
    expect(await idOf(es, 'one')).toHaveLength(64);
  });

  test('differs by jti and by key, so that nobody can use up the proofs of another', async () => {
    expect(new Set([await idOf(es, 'one'), await idOf(es, 'two'), await idOf(makeProofKey('ES256'), 'one')]).size).toBe(3);
  });

  test('is that of one key, however its JWK is spelt', async () => {
    const key = makeProofKey('RS256');
    const modulus = Buffer.from(String(key.jwk['n']), 'base64url');
    const padded = { ...key, jwk: { ...key.jwk, n: Buffer.concat([Buffer.alloc(1), modulus]).toString('base64url'), extra: 'member' } };
    expect(await idOf(padded, 'one')).toBe(await idOf(key, 'one'));
  });
});

describe('what is no proof', () => {
  const proof = proofBy(es, good);
  test.each([
    ['nothing', ''],
    ['two parts', proof.split('.').slice(0, 2).join('.')],
    ['two proofs in one header', `${proof}, ${proof}`],
    ['a padded part', proof.replace('.', '=.')],
    ['a header that is no object', `${Buffer.from('[]').toString('base64url')}.${proof.split('.').slice(1).join('.')}`],
    ['more than anybody needs', proofBy(es, { ...good, more: 'x'.repeat(8_192) })],
  ])('is malformed: %s', async (_, text) => {
    expect(await verify(text)).toEqual({ outcome: 'refused', reason: 'malformed' });
  });
});
