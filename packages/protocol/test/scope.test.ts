import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatScope, isScopeSubset, isScopeToken, parseScope } from '../src/index.ts';

describe('a scope', () => {
  test.each([
    [undefined, []],
    ['', []],
    ['openid', ['openid']],
    ['openid vault:read openid', ['openid', 'vault:read']],
    [' b  a ', ['b', 'a']],
    ['Read,write', ['Read,write']],
  ])('%j reads as %j', (text, expected) => {
    expect(parseScope(text)).toEqual(expected);
  });

  test.each(['a"b', 'a\\b', 'a\tb', 'a\nb', 'é', 'a\u00a0b', 'a\0'])('refuses %j', (text) => {
    expect(() => parseScope(text)).toThrow('invalid_scope');
  });

  test('has at most 100 values', () => {
    const many = Array.from({ length: 101 }, (_, index) => `s${index}`);
    expect(parseScope(formatScope(many.slice(1)))).toHaveLength(100);
    expect(() => parseScope(formatScope(many))).toThrow('invalid_scope');
  });

  test('survives formatting and parsing, without duplicates and in order', () => {
    const token = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 8 }).filter(isScopeToken);
    fc.assert(
      fc.property(fc.array(token), (tokens) => {
        expect(parseScope(formatScope(tokens))).toEqual([...new Set(tokens)]);
      }),
    );
  });

  test.each([
    [[], [], true],
    [['a'], ['b', 'a'], true],
    [['a', 'c'], ['b', 'a'], false],
    [['a'], [], false],
  ])('%j within %j is %j', (inner, outer, expected) => {
    expect(isScopeSubset({ inner, outer })).toBe(expected);
  });
});
