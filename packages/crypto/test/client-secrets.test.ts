import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  constantTimeEqual,
  constantTimeEqualBytes,
  createClientSecret,
  createDigest,
  digestSecret,
  fingerprint,
  matchesDigest,
  s256,
  sha256,
} from '../src/index.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('a client secret', () => {
  test('is 43 characters of base64url, never the same', () => {
    const secrets = Array.from({ length: 200 }, createClientSecret);
    for (const secret of secrets) expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(new Set(secrets).size).toBe(200);
  });

  test('matches its digest and no other does', () => {
    const secret = createClientSecret();
    const digest = digestSecret(secret);
    expect(digest.byteLength).toBe(32);
    expect(matchesDigest(secret, digest)).toBe(true);
    fc.assert(fc.property(fc.string(), (other) => other === secret || !matchesDigest(other, digest)));
    expect(matchesDigest(secret, digest.subarray(1))).toBe(false);
    expect(matchesDigest(secret, new Uint8Array())).toBe(false);
  });

  test('has a digest in a domain of its own, which never changes', () => {
    expect(hex(digestSecret('abc'))).not.toBe(hex(sha256('abc')));
    expect(hex(digestSecret('abc'))).toBe('699d79df99305bb6ee1fbfae626185eb650708abe4cac8663a5b35e2b1690358');
  });
});

describe('constant time equality', () => {
  test('agrees with equality for well-formed text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => constantTimeEqual(a, b) === (a === b)),
    );
    fc.assert(fc.property(fc.string(), (a) => constantTimeEqual(a, `${a}`) && !constantTimeEqual(a, `${a}x`)));
  });

  test('agrees with equality for bytes', () => {
    fc.assert(fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => constantTimeEqualBytes(a, b) === (hex(a) === hex(b))));
    fc.assert(fc.property(fc.uint8Array(), (a) => constantTimeEqualBytes(a, Uint8Array.from(a))));
  });
});

test('s256 gives the challenge of RFC 7636 appendix B', () => {
  expect(s256('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')).toBe('E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM');
});

test('sha256 gives the digest of FIPS 180-4 for text and bytes alike', () => {
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  expect(hex(sha256('abc'))).toBe(abc);
  expect(hex(sha256(new TextEncoder().encode('abc')))).toBe(abc);
});

test('a digest of bytes that come in pieces is that of all of them', () => {
  const digest = createDigest();
  for (const piece of ['a', '', 'bc']) digest.add(Buffer.from(piece));
  expect(hex(digest.end())).toBe(hex(sha256('abc')));
});

test('a fingerprint is eight hex digits', () => {
  expect(fingerprint('abc')).toBe('ba7816bf');
});
