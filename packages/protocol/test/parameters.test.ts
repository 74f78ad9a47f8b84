import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OAuthError, readParameters } from '../src/index.ts';

const names = ['client_id', 'scope', 'state', 'resource'] as const;

const refusal = (source: unknown): string => {
  try {
    readParameters(source, names);
  } catch (error) {
    if (error instanceof OAuthError && error.code === 'invalid_request') return error.description;
    throw error;
  }
  return 'accepted';
};

describe('reading parameters', () => {
  test('gives values, treats empty as omitted, and ignores what it does not know (AZ-16)', () => {
    const read = readParameters({ client_id: 'c', scope: '', extra: ['1', '2'], state: ' \r\né' }, names);
    expect(read.get('client_id')).toBe('c');
    expect(read.get('scope')).toBeUndefined();
    expect(read.get('state')).toBe(' \r\né');
    expect(read.require('client_id')).toBe('c');
    expect(() => read.require('scope')).toThrow('scope is required');
  });

  test.each([
    ['two values (AZ-15)', { client_id: ['a', 'b'] }, 'client_id is repeated'],
    ['two equal values', { scope: ['a', 'a'] }, 'scope is repeated'],
    ['an empty value and another', { scope: ['', 'a'] }, 'scope is repeated'],
    ['an array of one', { state: ['a'] }, 'state is repeated'],
    ['an object', { state: { a: 1 } }, 'state must be a string'],
    ['a number', { state: 1 }, 'state must be a string'],
    ['null', { state: null }, 'state must be a string'],
    ['NUL', { state: 'a\0b' }, 'state contains characters that are not allowed'],
    ['a lone surrogate', { state: 'a\ud800b' }, 'state contains characters that are not allowed'],
    ['NUL in a resource', { resource: ['https://a', '\0'] }, 'resource contains characters that are not allowed'],
    ['a long client_id', { client_id: 'x'.repeat(2_049) }, 'client_id is longer than 2048 characters'],
    ['a long state', { state: 'x'.repeat(8_193) }, 'state is longer than 8192 characters'],
    ['nine resources', { resource: Array.from({ length: 9 }, () => 'https://a') }, 'resource is repeated more than 8 times'],
    ['a JSON array for a body', ['a'], 'the parameters must be form-urlencoded'],
    ['a text for a body', 'client_id=a', 'the parameters must be form-urlencoded'],
  ])('refuses %s', (_, source, why) => {
    expect(refusal(source)).toBe(why);
  });

  test('lets resource repeat and keeps the order (RFC 8707 §2)', () => {
    expect(readParameters({ resource: 'https://a' }, names).all('resource')).toEqual(['https://a']);
    expect(readParameters({ resource: ['https://b', '', 'https://a'] }, names).all('resource')).toEqual(['https://b', 'https://a']);
    expect(readParameters({}, names).all('resource')).toEqual([]);
  });

  test('echoes a state of 1 KB exactly (AZ-20)', () => {
    const state = '%0d%0a\u{1f511}'.repeat(128);
    expect(readParameters({ state }, names).get('state')).toBe(state);
  });

  test('reads an absent body as no parameters and never reads inherited members', () => {
    expect(readParameters(undefined, names).get('scope')).toBeUndefined();
    expect(readParameters(Object.create({ scope: 'inherited' }), names).get('scope')).toBeUndefined();
    expect(readParameters({}, ['constructor', '__proto__']).get('constructor')).toBeUndefined();
  });

  test('answers any input with text that Postgres can store, or with invalid_request', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names, 'other'), fc.anything()), (source) => {
        if (refusal(source) !== 'accepted') return;
        const read = readParameters(source, names);
        for (const value of [read.get('client_id'), read.get('scope'), read.get('state'), ...read.all('resource')]) {
          if (value === undefined) continue;
          expect(value).not.toBe('');
          expect(value.isWellFormed() && !value.includes('\0')).toBe(true);
        }
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (state) => {
        const stored = state.isWellFormed() && !state.includes('\0');
        expect(refusal({ state }) === 'accepted').toBe(stored);
      }),
    );
  });
});
