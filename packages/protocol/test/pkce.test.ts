import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { isCodeVerifier, matchesCodeChallenge, OAuthError, readCodeChallenge } from '../src/index.ts';

// RFC 7636 appendix B.
const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
const digest = (text: string): string => createHash('sha256').update(text, 'ascii').digest('base64url');

const refused = (sent: Parameters<typeof readCodeChallenge>[0]): boolean => {
  try {
    readCodeChallenge(sent);
  } catch (error) {
    return error instanceof OAuthError && error.code === 'invalid_request';
  }
  return false;
};

describe('reading a code challenge', () => {
  test('accepts S256', () => {
    expect(readCodeChallenge({ challenge, method: 'S256', required: true })).toBe(challenge);
  });

  test('lets it be absent only where the platform does not require it (AZ-12)', () => {
    expect(readCodeChallenge({ challenge: undefined, method: undefined, required: false })).toBeUndefined();
    expect(refused({ challenge: undefined, method: undefined, required: true })).toBe(true);
  });

  test.each([
    ['plain (AZ-13)', challenge, 'plain'],
    ['an absent method (AZ-13)', challenge, undefined],
    ['another case', challenge, 's256'],
    ['42 characters (AZ-14)', challenge.slice(1), 'S256'],
    ['44 characters', `${challenge}A`, 'S256'],
    ['129 characters (AZ-14)', 'a'.repeat(129), 'S256'],
    ['padding (AZ-14)', `${challenge.slice(1)}=`, 'S256'],
    ['standard base64 (AZ-14)', `${challenge.slice(1)}+`, 'S256'],
    ['a method alone (AZ-14)', undefined, 'S256'],
  ])('refuses %s even where none is required', (_, sent, method) => {
    expect(refused({ challenge: sent, method, required: false })).toBe(true);
  });
});

describe('redeeming with a code verifier', () => {
  test('matches the vector of RFC 7636', () => {
    expect(matchesCodeChallenge({ challenge, verifier, digest })).toBe(true);
  });

  test.each([
    ['a wrong verifier (TK-10)', challenge, `${verifier.slice(1)}A`],
    ['no verifier (TK-08)', challenge, undefined],
    ['a verifier without a challenge (TK-09)', undefined, verifier],
    ['42 characters (TK-10)', digest('a'.repeat(42)), 'a'.repeat(42)],
    ['129 characters (TK-10)', digest('a'.repeat(129)), 'a'.repeat(129)],
    ['foreign characters', digest(`${verifier}+`), `${verifier}+`],
  ])('refuses %s', (_, expected, sent) => {
    expect(matchesCodeChallenge({ challenge: expected, verifier: sent, digest })).toBe(false);
  });

  test('needs none where none was announced', () => {
    expect(matchesCodeChallenge({ challenge: undefined, verifier: undefined, digest })).toBe(true);
  });

  test.each([
    ['a'.repeat(43), true],
    ['~._-'.repeat(32), true],
    ['a'.repeat(42), false],
    ['a'.repeat(129), false],
    [`${'a'.repeat(43)}\n`, false],
  ])('knows the syntax of %j', (text, expected) => {
    expect(isCodeVerifier(text)).toBe(expected);
  });
});
