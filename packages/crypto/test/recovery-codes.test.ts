import { describe, expect, test } from 'vitest';
import { createRecoveryCodes, digestRecoveryCodes, findRecoveryCode } from '../src/index.ts';

describe('a set of recovery codes', () => {
  test('has ten, of 16 characters that nobody confuses, none of them twice', () => {
    const sets = Array.from({ length: 50 }, createRecoveryCodes);
    for (const set of sets) {
      expect(set).toHaveLength(10);
      for (const code of set) expect(code).toMatch(/^(?:[0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-hjkmnp-tv-z]{4}$/);
    }
    expect(new Set(sets.flat()).size).toBe(500);
    expect(new Set(sets.flat().join('').replaceAll('-', '')).size).toBe(32);
  });

  test('finds each of its codes at its place, and none of another set', () => {
    const codes = createRecoveryCodes();
    const digests = digestRecoveryCodes(codes);
    expect(codes.map((code) => findRecoveryCode(digests, code))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (const other of [...createRecoveryCodes(), '', '-', codes.join(''), codes[0]?.slice(1) ?? '', 'x'.repeat(100_000)])
      expect(findRecoveryCode(digests, other)).toBeNull();
  });

  test('finds a code as people type it', () => {
    const digests = digestRecoveryCodes(['0123-abcd-1111-wxyz']);
    for (const typed of ['0123ABCD1111WXYZ', ' o123 abcd\tIlLi wxyz ', 'O-1-2-3-abcd-1111-wxyz'])
      expect(findRecoveryCode(digests, typed)).toBe(0);
  });

  test('is stored as digests that say nothing of the codes and never change their form', () => {
    expect(Buffer.from(digestRecoveryCodes(['0123-abcd-1111-wxyz'])).toString('hex')).toBe(
      'd47befbcab48b9955ef5bbe589b2b6362a835be28a15ea0232bf7361c78e5d3b',
    );
    expect(digestRecoveryCodes(createRecoveryCodes()).byteLength).toBe(320);
  });
});
