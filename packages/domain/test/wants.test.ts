import { expect, test } from 'vitest';
import { eventTypes, unknownTypes, wants } from '../src/index.ts';

test.each<[readonly string[] | null, string, boolean]>([
  [null, 'grant.revoked', true],
  [['grant.revoked'], 'grant.revoked', true],
  [['grant.expired', 'grant.revoked'], 'grant.revoked', true],
  [['grant.revoked'], 'grant.expired', false],
  [['grant.*'], 'grant.expired', true],
  [['grant.*'], 'session.expired', false],
  [['gran.*'], 'grant.expired', false],
  [['grant'], 'grant.expired', false],
  [['client.disabled', 'session.*'], 'session.linked', true],
  [['.*'], 'grant.expired', false],
  [['*'], 'grant.expired', false],
])('who asked for %j hears of %s: %s', (types, type, hears) => {
  expect(wants(types, type)).toBe(hears);
});

test('tells the types that nothing is ever sent for', () => {
  expect(unknownTypes(['grant.revoked', 'grant.denied', 'session.*', 'sessions.*', ''])).toEqual(['grant.denied', 'sessions.*', '']);
  expect(unknownTypes(eventTypes.map(({ type }) => type))).toEqual([]);
});
