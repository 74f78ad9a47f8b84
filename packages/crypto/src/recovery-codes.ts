import { randomBytes } from 'node:crypto';
import { constantTimeEqualBytes } from './constant-time.ts';
import { sha256 } from './digest.ts';

/** Crockford's base32: no letter that is read as a digit, or as another letter. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const length = 16;
const digestLength = 32;

/** Codes in a set. */
export const recoveryCodeCount = 10;

const createCode = (): string => {
  const characters = [...randomBytes(length)].map((byte) => alphabet[byte & 31] ?? '').join('');
  return (characters.match(/.{4}/g) ?? []).join('-');
};

/** The one spelling of what somebody typed: case, hyphens and spaces do not count, and look-alikes are what they look like. */
const canonical = (typed: string): string => typed.toLowerCase().replaceAll(/[\s-]/g, '').replaceAll('o', '0').replaceAll(/[il]/g, '1');

const digestOf = (code: string): Uint8Array => sha256(`grantlog recovery code v1\0${canonical(code)}`);

/** A new set of recovery codes, each of 80 random bits: four groups of four characters. */
export const createRecoveryCodes = (): readonly string[] => Array.from({ length: recoveryCodeCount }, createCode);

/**
 * What is stored of a set: the SHA-256 digests of its codes in a domain of their own, one after the other.
 * A fast digest is right because 80 random bits cannot be tried through, not even by who has database and keys.
 */
export const digestRecoveryCodes = (codes: readonly string[]): Uint8Array => Buffer.concat(codes.map(digestOf));

/** The index of a code in its digested set, or null. Takes the same time wherever it stands. Whether it was used, the log says. */
export const findRecoveryCode = (digests: Uint8Array, code: string): number | null => {
  // Nothing that people type is longer, and every character costs.
  if (code.length > 4 * length) return null;
  const digest = digestOf(code);
  let found: number | null = null;
  for (let index = 0; index * digestLength < digests.byteLength; index += 1) {
    if (constantTimeEqualBytes(digests.subarray(index * digestLength, (index + 1) * digestLength), digest)) found = index;
  }
  return found;
};
