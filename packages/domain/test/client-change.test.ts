import { specification } from '@grantlog/eventsourcing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ClientEvent, clientDecider, type DeveloperSettings, extraDefaults } from '../src/index.ts';
import { approved, pending, registered, registration, rejected } from './client-fixtures.ts';

const { given, replay } = specification(clientDecider);

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
    ['a further address after signing out', { postLogoutRedirectUris: ['https://elsewhere.example/'] }],
    ['another receiver of logouts', { backchannelLogout: { uri: 'https://elsewhere.example/', sessionRequired: false } }],
    ['another page of its own', { about: { ...extraDefaults.about, clientUri: 'https://elsewhere.example/' } }],
    ['another type of application', { applicationType: 'native' }],
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
    ['its keys', { jwks: { keys: [{ kty: 'OKP' }] } }],
    ['where its keys are', { jwksUri: 'https://robot.example/jwks' }],
    ['the algorithm of its assertions', { assertionAlg: 'ES256' }],
    ['more proof of its requests', { parRequired: true, dpopRequired: true }],
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
      .when({ type: 'approve', asOf: 2 })
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
      .when({ type: 'approve', asOf: 2 })
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
