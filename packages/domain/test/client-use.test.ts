import { specification } from '@grantlog/eventsourcing';
import { describe, expect, test } from 'vitest';
import { type ClientEvent, type ClientRegistration, clientDecider, extraDefaults } from '../src/index.ts';
import { deleted, publicOne, registered, registration } from './client-fixtures.ts';

const { given, replay } = specification(clientDecider);
const dynamic: ClientRegistration = { ...publicOne, how: 'dynamic' };
const begun: ClientEvent = { type: 'client.registered', data: dynamic };
const used: ClientEvent = { type: 'client.used', data: {} };
const keys = { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'x' }] };

describe('a client that registered itself', () => {
  test('is in use from the first grant on, which is recorded once', () => {
    given([begun])
      .when({ type: 'use' })
      .expect({ events: [used] });
    given([begun, used]).when({ type: 'use' }).expect({ events: [] });
  });

  test('is ended when nobody granted it anything for long enough, and says why', () => {
    const state = replay([begun]);
    const registeredAt = state.status === 'active' ? state.registeredAt : Number.NaN;
    given([begun])
      .when({ type: 'reap', now: registeredAt + 60_000, seconds: 60 })
      .expect({ events: [{ type: 'client.deleted', data: { reason: 'unused' } }] });
    given([begun])
      .when({ type: 'reap', now: registeredAt + 59_999, seconds: 60 })
      .expect({ events: [], refusal: 'still_in_use' });
    expect(replay([begun, { type: 'client.deleted', data: { reason: 'unused' } }])).toMatchObject({ how: 'dynamic', reason: 'unused' });
  });

  test('is never ended once somebody granted it something, and not twice', () => {
    given([begun, used]).when({ type: 'reap', now: Number.MAX_SAFE_INTEGER, seconds: 60 }).expect({ events: [], refusal: 'still_in_use' });
    given([begun, deleted]).when({ type: 'reap', now: Number.MAX_SAFE_INTEGER, seconds: 60 }).expect({ events: [] });
  });
});

describe('a client that somebody set up', () => {
  test('is neither marked as used nor ended for want of use', () => {
    given([registered]).when({ type: 'use' }).expect({ events: [] });
    given([registered]).when({ type: 'reap', now: Number.MAX_SAFE_INTEGER, seconds: 60 }).expect({ events: [], refusal: 'still_in_use' });
  });

  test('of an earlier version has the defaults of what came later', () => {
    expect(replay([registered])).toMatchObject(extraDefaults);
  });
});

describe('the keys of a client', () => {
  test.each([
    ['are missing', { ...registration, authMethods: ['private_key_jwt'] }, 'keys_missing'],
    [
      'are given twice',
      { ...registration, authMethods: ['private_key_jwt'], jwks: keys, jwksUri: 'https://robot.example/keys' },
      'keys_ambiguous',
    ],
  ] as const)('are refused where they %s', (_what, data, refusal) => {
    given([])
      .when({ type: 'register', ...data })
      .expect({ events: [], refusal });
  });

  test.each([
    ['a confidential one without a secret', { ...registration, secretCredential: null, authMethods: ['private_key_jwt'], jwks: keys }],
    ['a public one that may show them', { ...publicOne, authMethods: ['none', 'private_key_jwt'], jwksUri: 'https://robot.example/keys' }],
  ] as const)('are taken of %s', (_what, data) => {
    given([])
      .when({ type: 'register', ...data })
      .expect({ events: [{ type: 'client.registered', data }] });
  });
});
