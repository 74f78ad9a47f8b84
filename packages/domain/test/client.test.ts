import { specification } from '@grantlog/eventsourcing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ClientCommand,
  type ClientEvent,
  type ClientId,
  type ClientRegistration,
  clientDecider,
  type DeveloperSettings,
  validSecrets,
} from '../src/index.ts';

const registration: ClientRegistration = {
  clientId: 'robot' as ClientId,
  kind: 'confidential',
  how: 'portal',
  name: 'Robot',
  redirectUris: ['https://robot.example/cb'],
  grantTypes: ['authorization_code', 'refresh_token'],
  scopes: null,
  authMethods: ['client_secret_basic', 'client_secret_post'],
  idTokenAlg: null,
  secretCredential: 's1',
  approval: 'approved',
  serves: [],
  roles: [],
  tokenNonce: null,
};
const publicOne: ClientRegistration = { ...registration, kind: 'public', authMethods: ['none'], secretCredential: null };
const registered: ClientEvent = { type: 'client.registered', data: registration };
const pending: ClientEvent = { type: 'client.registered', data: { ...registration, approval: 'pending' } };
const disabled: ClientEvent = { type: 'client.disabled', data: { reason: 'abuse' } };
const deleted: ClientEvent = { type: 'client.deleted', data: {} };
const approved: ClientEvent = { type: 'client.approved', data: {} };
const rejected: ClientEvent = { type: 'client.rejected', data: { reason: 'no privacy policy' } };
const rotated = (credentialId: string, previousValidUntil: number): ClientEvent => ({
  type: 'client.secret_rotated',
  data: { credentialId, previousValidUntil },
});
const { given, replay } = specification(clientDecider);
const secretsAt = (events: readonly ClientEvent[], seconds: number): readonly string[] => {
  const state = replay(events);
  return state.status === 'none' || state.status === 'deleted' ? [] : validSecrets(state.secrets, seconds);
};

const others: readonly ClientCommand[] = [
  { type: 'update', changes: { name: 'New' } },
  { type: 'propose', changes: { name: 'New' } },
  { type: 'approve', asOf: null },
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
      .when({ type: 'approve', asOf: null })
      .expect({ events: [approved] });
    given([pending, approved]).when({ type: 'approve', asOf: null }).expect({ events: [] });
    given([pending])
      .when({ type: 'reject', reason: 'no privacy policy' })
      .expect({ events: [rejected] });
    given([pending, rejected]).when({ type: 'reject', reason: 'again' }).expect({ events: [] });
    given([pending, rejected])
      .when({ type: 'approve', asOf: null })
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

describe('a change by the developer of an approved client', () => {
  const proposed = (changes: Partial<DeveloperSettings>): ClientEvent => ({ type: 'client.change_proposed', data: { changes } });
  const updated = (changes: Partial<DeveloperSettings>): ClientEvent => ({ type: 'client.updated', data: changes });
  const withdrawn: ClientEvent = { type: 'client.change_withdrawn', data: {} };
  const narrow: ClientEvent = {
    type: 'client.registered',
    data: { ...registration, redirectUris: ['https://robot.example/cb', 'https://robot.example/old'], scopes: ['read', 'write'] },
  };

  test.each<[string, Partial<DeveloperSettings>]>([
    ['another name', { name: 'Bank' }],
    ['a further redirect URI', { redirectUris: ['https://robot.example/cb', 'https://elsewhere.example/cb'] }],
    ['another redirect URI in place of its own', { redirectUris: ['https://elsewhere.example/cb'] }],
    ['a further scope', { scopes: ['read', 'write', 'all'] }],
    ['all scopes', { scopes: null }],
    ['a further grant type', { grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'] }],
  ])('is proposed and not done where it is %s', (_, changes) => {
    given([narrow])
      .when({ type: 'propose', changes })
      .expect({ events: [proposed(changes)] });
    expect(replay([narrow, proposed(changes)])).toMatchObject({
      name: 'Robot',
      redirectUris: ['https://robot.example/cb', 'https://robot.example/old'],
      scopes: ['read', 'write'],
      grantTypes: ['authorization_code', 'refresh_token'],
      approval: 'approved',
      proposed: { changes, position: 2 },
    });
  });

  test.each<[string, Partial<DeveloperSettings>]>([
    ['fewer redirect URIs', { redirectUris: ['https://robot.example/cb'] }],
    ['fewer scopes', { scopes: ['read'] }],
    ['fewer grant types', { grantTypes: ['authorization_code'] }],
    ['fewer ways to authenticate', { authMethods: ['client_secret_basic'] }],
  ])('is done at once where it is %s', (_, changes) => {
    given([narrow])
      .when({ type: 'propose', changes })
      .expect({ events: [updated(changes)] });
  });

  test('is taken apart where it both narrows and widens', () => {
    given([narrow])
      .when({ type: 'propose', changes: { scopes: ['read'], name: 'Tobor' } })
      .expect({ events: [updated({ scopes: ['read'] }), proposed({ name: 'Tobor' })] });
  });

  test('is added to what is proposed already, and taken back by asking for what stands', () => {
    const both = { name: 'Tobor', scopes: ['read', 'write', 'all'] };
    given([narrow, proposed({ name: 'Tobor' })])
      .when({ type: 'propose', changes: { scopes: both.scopes } })
      .expect({ events: [proposed(both)] });
    given([narrow, proposed({ name: 'Tobor' })])
      .when({ type: 'propose', changes: { name: 'Tobor' } })
      .expect({ events: [] });
    given([narrow, proposed(both)])
      .when({ type: 'propose', changes: { name: 'Robot' } })
      .expect({ events: [proposed({ scopes: both.scopes })] });
    given([narrow, proposed({ name: 'Tobor' })])
      .when({ type: 'propose', changes: { name: 'Robot' } })
      .expect({ events: [withdrawn] });
    expect(replay([narrow, proposed(both), withdrawn])).toMatchObject({ name: 'Robot', proposed: null });
  });

  test('takes the place of a proposal where it narrows the same setting', () => {
    given([narrow, proposed({ scopes: null })])
      .when({ type: 'propose', changes: { scopes: ['read'] } })
      .expect({ events: [updated({ scopes: ['read'] }), withdrawn] });
  });

  test('is done when it is approved, and dropped when it is refused', () => {
    given([registered, proposed({ name: 'Tobor' })])
      .when({ type: 'approve', asOf: null })
      .expect({ events: [approved] });
    expect(replay([registered, proposed({ name: 'Tobor' }), approved])).toMatchObject({
      name: 'Tobor',
      approval: 'approved',
      proposed: null,
    });
    const refused: ClientEvent = { type: 'client.change_rejected', data: { reason: 'misleading' } };
    given([registered, proposed({ name: 'Tobor' })])
      .when({ type: 'reject', reason: 'misleading' })
      .expect({ events: [refused] });
    const after = replay([registered, proposed({ name: 'Tobor' }), refused]);
    expect(after).toMatchObject({ name: 'Robot', approval: 'approved', proposed: null, rejection: 'misleading' });
    given([registered, proposed({ name: 'Tobor' }), refused])
      .when({ type: 'reject', reason: 'again' })
      .expect({ events: [], refusal: 'already_approved' });
  });

  test('is approved only as the operator saw it', () => {
    const [first, second] = [proposed({ name: 'Tobor' }), proposed({ name: 'Bank' })];
    given([registered, first, second]).when({ type: 'approve', asOf: 2 }).expect({ events: [], refusal: 'changed_since' });
    given([registered, first, second])
      .when({ type: 'approve', asOf: 3 })
      .expect({ events: [approved] });
    // The second click of the same operator.
    given([registered, first, approved]).when({ type: 'approve', asOf: 2 }).expect({ events: [] });
    given([pending, updated({ name: 'Bank' })])
      .when({ type: 'approve', asOf: 1 })
      .expect({ events: [], refusal: 'changed_since' });
    given([pending, rejected]).when({ type: 'approve', asOf: 1 }).expect({ events: [], refusal: 'changed_since' });
  });

  test('is refused where it makes of the client what could not be registered, also by the time of its approval', () => {
    given([registered])
      .when({ type: 'propose', changes: { redirectUris: [], name: 'Tobor' } })
      .expect({ events: [], refusal: 'redirect_uri_missing' });
    given([registered, proposed({ authMethods: ['none'] })])
      .when({ type: 'approve', asOf: null })
      .expect({ events: [], refusal: 'auth_method_not_allowed' });
  });

  test('is done at once while the client waits, and asks again where it was refused', () => {
    given([pending])
      .when({ type: 'propose', changes: { name: 'Tobor' } })
      .expect({ events: [updated({ name: 'Tobor' })] });
    const resubmitted: ClientEvent = { type: 'client.resubmitted', data: {} };
    given([pending, rejected])
      .when({ type: 'propose', changes: { name: 'Tobor' } })
      .expect({ events: [updated({ name: 'Tobor' }), resubmitted] });
    given([pending, rejected])
      .when({ type: 'propose', changes: { name: 'Robot' } })
      .expect({ events: [] });
    expect(replay([pending, rejected, updated({ name: 'Tobor' }), resubmitted])).toMatchObject({ approval: 'pending', rejection: null });
  });

  test('never gives an approved client more than was approved, whatever its developer asks for and in whatever order', () => {
    const uris = ['https://robot.example/cb', 'https://robot.example/old', 'https://elsewhere.example/cb'];
    const wish = fc.record(
      {
        name: fc.constantFrom('Robot', 'Tobor', 'Bank'),
        redirectUris: fc.uniqueArray(fc.constantFrom(...uris), { minLength: 1 }),
        scopes: fc.option(fc.uniqueArray(fc.constantFrom('read', 'write', 'all'))),
        authMethods: fc.uniqueArray(fc.constantFrom('client_secret_basic' as const, 'client_secret_post' as const), { minLength: 1 }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(wish, { maxLength: 8 }), (wishes) => {
        const history: ClientEvent[] = [narrow];
        for (const changes of wishes) history.push(...clientDecider.decide({ type: 'propose', changes }, replay(history)).events);
        const client = replay(history);
        if (client.status !== 'active') throw new Error('the client is gone');
        expect(client.name).toBe('Robot');
        expect(['https://robot.example/cb', 'https://robot.example/old']).toEqual(expect.arrayContaining([...client.redirectUris]));
        expect(['read', 'write']).toEqual(expect.arrayContaining([...(client.scopes ?? ['all'])]));
        // What is approved then is what the developer asked for last.
        const after = replay([...history, approved]);
        const last: Partial<DeveloperSettings> = Object.assign({}, ...wishes);
        expect(after).toMatchObject({ ...last, proposed: null });
      }),
    );
  });
});

test('the owner of a client is the account that registered it, and nobody for those registered before there were owners', () => {
  const owner = '00000000-0003-8000-8000-000000000001' as never;
  expect(replay([{ type: 'client.registered', data: { ...registration, owner } }])).toMatchObject({ owner });
  expect(replay([registered])).toMatchObject({ owner: null });
});
