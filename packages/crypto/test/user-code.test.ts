import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalUserCode, createUserCode } from '../src/index.ts';

describe('a user code', () => {
  test('is two groups of four letters that no word is made of and nobody misreads', () => {
    for (const code of Array.from({ length: 500 }, createUserCode))
      expect(code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
  });

  test('uses each of its twenty letters at each place, and does not repeat itself', () => {
    const codes = Array.from({ length: 2_000 }, createUserCode);
    expect(new Set(codes).size).toBe(codes.length);
    for (const place of [0, 1, 2, 3, 5, 6, 7, 8]) expect(new Set(codes.map((code) => code[place])).size).toBe(20);
  });

  test('is read however somebody types it', () => {
    fc.assert(
      fc.property(
        fc.infiniteStream(fc.constantFrom('', ' ', '-', '\t', '  ', ' - ', '\u00a0')),
        fc.infiniteStream(fc.boolean()),
        (gaps, cases) => {
          const code = createUserCode();
          const typed = [...code.replace('-', '')].map(
            (letter) => `${gaps.next().value}${cases.next().value === true ? letter.toLowerCase() : letter}`,
          );
          expect(canonicalUserCode(`${typed.join('')}${gaps.next().value}`)).toBe(code);
        },
      ),
    );
  });

  test.each([
    '',
    '-',
    'BCDF',
    'BCDF-GHJ',
    'BCDF-GHJKL',
    'ACDF-GHJK',
    'BCDF-GHJ0',
    'BCDF_GHJK',
    'BCDF–GHJK',
    'ßCDF-GHJ',
    'ſCDF-GHJK',
    'BCDF-GHJ\u0000',
    '１２３４-BCDF',
  ])('is not %j', (typed) => {
    expect(canonicalUserCode(typed)).toBeNull();
  });

  test('has one spelling only', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('B', 'c', '-', ' ', 'Z', 'ß', 'İ'), maxLength: 12 }), (typed) => {
        const code = canonicalUserCode(typed);
        if (code !== null) expect(canonicalUserCode(code)).toBe(code);
      }),
    );
  });
});
