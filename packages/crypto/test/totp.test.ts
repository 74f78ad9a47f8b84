import { describe, expect, test } from 'vitest';
import { createTotpSeed, otpauthUri, totpSecretText, totpStepEnd, verifyTotp } from '../src/index.ts';

const seed = new TextEncoder().encode('12345678901234567890');

/** RFC 6238 appendix B, SHA-1. Its codes have eight digits; those of six are their ends, because both are one number modulo a power of ten. */
const vectors = [
  [59, '94287082'],
  [1111111109, '07081804'],
  [1111111111, '14050471'],
  [1234567890, '89005924'],
  [2000000000, '69279037'],
  [20000000000, '65353130'],
] as const;

describe('a time-based code', () => {
  test.each(vectors)('at %i s is the one of RFC 6238 appendix B', (seconds, code) => {
    expect(verifyTotp({ seed, code: code.slice(2), now: seconds * 1000 })).toBe(Math.floor(seconds / 30));
  });

  test('is taken one step early and one step late, and tells its own step', () => {
    const [step, code] = [1, '287082'];
    for (const now of [0, 29_999, 30_000, 59_999, 60_000, 89_999]) expect(verifyTotp({ seed, code, now })).toBe(step);
    for (const now of [90_000, 600_000]) expect(verifyTotp({ seed, code, now })).toBeNull();
    expect(totpStepEnd(step)).toBe(90_000);
  });

  test('is refused from another seed, and in any spelling but six digits', () => {
    const now = 59_000;
    expect(verifyTotp({ seed: createTotpSeed(), code: '287082', now: 59_000_000_000 })).toBeNull();
    for (const code of ['', '28708', '2870820', '94287082', ' 287082', '287082\n', '２８７０８２', '2e7082'])
      expect(verifyTotp({ seed, code, now })).toBeNull();
  });
});

describe('a seed', () => {
  test('has 20 bytes and is never the same', () => {
    const seeds = Array.from({ length: 100 }, createTotpSeed);
    expect(new Set(seeds.map(totpSecretText)).size).toBe(100);
    for (const each of seeds) expect(totpSecretText(each)).toMatch(/^[A-Z2-7]{32}$/);
  });

  test('is told to apps with its issuer, its account and the parameters they assume', () => {
    const uri = new URL(otpauthUri({ seed, issuer: 'Arlo & Söhne', account: 'a:b@example.com' }));
    expect([uri.protocol, uri.host]).toEqual(['otpauth:', 'totp']);
    expect(decodeURIComponent(uri.pathname)).toBe('/Arlo & Söhne:a:b@example.com');
    expect(uri.pathname).toContain('a%3Ab%40example.com');
    expect(Object.fromEntries(uri.searchParams)).toEqual({
      issuer: 'Arlo & Söhne',
      secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
      algorithm: 'SHA1',
      digits: '6',
      period: '30',
    });
  });
});
