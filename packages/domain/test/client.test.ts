import { specification } from '@grantlog/eventsourcing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ClientCommand, type ClientEvent, type ClientRegistration, clientDecider, validSecrets } from '../src/index.ts';
import { approved, deleted, disabled, pending, publicOne, registered, registration, rejected, rotated } from './client-fixtures.ts';

const { given, replay } = specification(clientDecider);
const secretsAt = (events: readonly ClientEvent[], seconds: number): readonly string[] => {
  const state = replay(events);
  return state.status === 'none' || state.status === 'deleted' ? [] : validSecrets(state.secrets, seconds);
};

const others: readonly ClientCommand[] = [
  { type: 'update', changes: { name: 'New' } },
  { type: 'propose', changes: { name: 'New' } },
  { type: 'approve', asOf: 1 },
  { type: 'reject', reason: 'no' },
  { type: 'rotateSecret', credentialId: 's2', previousValidUntil: 0 },
  { type: 'disable', reason: 'abuse' },
  { type: 'enable' },
  { type: 'revokeGrants', reason: 'leak' },
];

describe('registering a client', () => {
  test('records all that it may do, without its secret', () => {
    given([])
      .when({ type: 'register', ...registration })
      .expect({ events: [registered] });
    given([])
      .when({ type: 'register', ...publicOne })
      .expect({ events: [{ type: 'client.registered', data: publicOne }] });
  });

  test('gives a client_id once, also after its deletion', () => {
    given([registered])
      .when({ type: 'register', ...registration })
      .expect({ events: [], refusal: 'client_exists' });
    given([registered, deleted])
      .when({ type: 'register', ...registration })
      .expect({ events: [], refusal: 'client_deleted' });
  });

  test.each<[string, ClientRegistration, string]>([
    ['a confidential client without a secret', { ...registration, secretCredential: null }, 'secret_missing'],
    ['a public client with a secret', { ...publicOne, secretCredential: 's1' }, 'secret_not_allowed'],
    ['no way to authenticate', { ...registration, authMethods: [] }, 'auth_method_missing'],
    [
      'a confidential client that need not authenticate',
      { ...registration, authMethods: ['client_secret_basic', 'none'] },
      'auth_method_not_allowed',
    ],
    ['a public client with a secret method', { ...publicOne, authMethods: ['none', 'client_secret_post'] }, 'auth_method_not_allowed'],
    ['no grant type', { ...registration, grantTypes: [] }, 'grant_type_missing'],
    ['client credentials of a public client', { ...publicOne, grantTypes: ['client_credentials'] }, 'grant_type_not_allowed'],
    ['the code flow without a redirect URI', { ...registration, redirectUris: [] }, 'redirect_uri_missing'],
  ])('refuses %s', (_, wrong, refusal) => {
    expect(
      given([])
        .when({ type: 'register', ...wrong })
        .decision(),
    ).toEqual({ events: [], refusal });
  });

  test('needs no redirect URI for client credentials alone', () => {
    const machine: ClientRegistration = { ...registration, redirectUris: [], grantTypes: ['client_credentials'], roles: ['operator'] };
    given([])
      .when({ type: 'register', ...machine })
      .expect({ events: [{ type: 'client.registered', data: machine }] });
  });
});

describe('a client', () => {
  test.each([...others, { type: 'delete' as const }])('refuses to $type before it is registered', (command) => {
    given([]).when(command).expect({ events: [], refusal: 'unknown_client' });
  });

  test.each(others)('refuses to $type once it is deleted', (command) => {
    given([registered, deleted]).when(command).expect({ events: [], refusal: 'client_deleted' });
  });

  test('records only what changes, and nothing when nothing does', () => {
    given([registered])
      .when({ type: 'update', changes: { name: 'New' } })
      .expect({ events: [{ type: 'client.updated', data: { name: 'New' } }] });
    given([registered])
      .when({ type: 'update', changes: { name: 'Robot', scopes: null } })
      .expect({ events: [] });
    expect(replay([registered, { type: 'client.updated', data: { scopes: ['read'] } }])).toMatchObject({ name: 'Robot', scopes: ['read'] });
  });

  test('cannot be changed into what could not be registered', () => {
    given([registered])
      .when({ type: 'update', changes: { authMethods: ['none'] } })
      .expect({ events: [], refusal: 'auth_method_not_allowed' });
    given([registered])
      .when({ type: 'update', changes: { redirectUris: [] } })
      .expect({ events: [], refusal: 'redirect_uri_missing' });
  });

  test('is approved or rejected, and approved after a rejection, but not the other way', () => {
    given([pending])
      .when({ type: 'approve', asOf: 1 })
      .expect({ events: [approved] });
    given([pending, approved]).when({ type: 'approve', asOf: 1 }).expect({ events: [] });
    given([pending])
      .when({ type: 'reject', reason: 'no privacy policy' })
      .expect({ events: [rejected] });
    given([pending, rejected]).when({ type: 'reject', reason: 'again' }).expect({ events: [] });
    given([pending, rejected])
      .when({ type: 'approve', asOf: 2 })
      .expect({ events: [approved] });
    given([pending, approved]).when({ type: 'reject', reason: 'late' }).expect({ events: [], refusal: 'already_approved' });
  });

  test('is as approved after it is enabled again as it was before', () => {
    given([pending])
      .when({ type: 'disable', reason: 'abuse' })
      .expect({ events: [disabled] });
    given([pending, disabled]).when({ type: 'disable', reason: 'again' }).expect({ events: [] });
    given([pending]).when({ type: 'enable' }).expect({ events: [] });
    const enabled: ClientEvent = { type: 'client.enabled', data: {} };
    given([pending, disabled])
      .when({ type: 'enable' })
      .expect({ events: [enabled] });
    expect(replay([pending, disabled, enabled])).toEqual(replay([pending]));
    expect(replay([pending, disabled, approved])).toMatchObject({ status: 'disabled', approval: 'approved' });
  });

  test('has two good secrets during a rotation and one after it', () => {
    given([registered])
      .when({ type: 'rotateSecret', credentialId: 's2', previousValidUntil: 100 })
      .expect({ events: [rotated('s2', 100)] });
    expect(secretsAt([registered], 1e12)).toEqual(['s1']);
    expect(secretsAt([registered, rotated('s2', 100)], 99)).toEqual(['s2', 's1']);
    expect(secretsAt([registered, rotated('s2', 100)], 100)).toEqual(['s2']);
  });

  test('loses its oldest secret at once when it is rotated twice within the overlap', () => {
    expect(secretsAt([registered, rotated('s2', 100), rotated('s3', 100)], 50)).toEqual(['s3', 's2']);
  });

  test('never has more than two good secrets, and always its newest', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000)), fc.nat(1000), (ends, now) => {
        const secrets = secretsAt([registered, ...ends.map((until, index) => rotated(`r${index}`, until))], now);
        expect(secrets.length).toBeLessThanOrEqual(2);
        expect(secrets[0]).toBe(ends.length === 0 ? 's1' : `r${ends.length - 1}`);
      }),
    );
  });

  test('has no secret to rotate when it is public', () => {
    given([{ type: 'client.registered', data: publicOne }])
      .when({ type: 'rotateSecret', credentialId: 's2', previousValidUntil: 0 })
      .expect({ events: [], refusal: 'secret_not_allowed' });
  });

  test('keeps the position of its latest revocation through disabling and deletion', () => {
    const revoked = { type: 'client.grants_revoked', data: { reason: 'leak' } } as const;
    given([registered, revoked])
      .when({ type: 'revokeGrants', reason: 'leak' })
      .expect({ events: [revoked] });
    expect(replay([registered, { ...revoked, position: 9 }, disabled])).toMatchObject({ status: 'disabled', revokedBefore: 9 });
    expect(replay([registered, { ...revoked, position: 9 }, deleted])).toEqual({
      status: 'deleted',
      clientId: 'robot',
      how: 'portal',
      reason: null,
      firstPosition: 1,
      revokedBefore: 9,
    });
  });

  test('is deleted once', () => {
    given([registered])
      .when({ type: 'delete' })
      .expect({ events: [deleted] });
    given([registered, deleted]).when({ type: 'delete' }).expect({ events: [] });
  });
});

test('the owner of a client is the account that registered it, and nobody for those registered before there were owners', () => {
  const owner = '00000000-0003-8000-8000-000000000001' as never;
  expect(replay([{ type: 'client.registered', data: { ...registration, owner } }])).toMatchObject({ owner });
  expect(replay([registered])).toMatchObject({ owner: null });
});
