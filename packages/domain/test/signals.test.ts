import { describe, expect, test } from 'vitest';
import { deliveredSignals, eventTypes, signalClaims, signalUris, typesOfSignals, verificationSignal } from '../src/index.ts';

const issuer = 'https://auth.example/arlo';
const of = { issuer, stream: 'stream-1', requested: null } as const;
const told = eventTypes.map((described) => described.example as unknown as Parameters<typeof signalClaims>[0]);
const exampleOf = (type: string) => {
  const found = told.find((message) => message.type === type);
  if (found === undefined) throw new Error(`no event type ${type}`);
  return found;
};
const secevent = 'https://schemas.openid.net/secevent';

describe('a message as a security event', () => {
  test('has one event, a subject and a transaction, and no name of a person', () => {
    for (const message of told.filter(({ type }) => typesOfSignals(null).includes(type))) {
      const claims = signalClaims(message, of);
      expect([message.type, claims]).toEqual([message.type, { sub_id: expect.any(Object), events: expect.any(Object), txn: '1042' }]);
      const [uri = ''] = Object.keys(claims?.events ?? {});
      expect(Object.keys(claims?.events ?? {})).toHaveLength(1);
      if (uri !== verificationSignal) expect(signalUris).toContain(uri);
    }
  });

  test('is told by the standard name before ours, and by ours where that alone was asked for', () => {
    const revoked = exampleOf('grant.revoked');
    const ours = 'urn:grantlog:event-type:grant.revoked';
    const standard = `${secevent}/caep/event-type/session-revoked`;
    const uriFor = (requested: readonly string[] | null) => Object.keys(signalClaims(revoked, { ...of, requested })?.events ?? {});
    expect([uriFor(null), uriFor([ours, standard]), uriFor([ours]), uriFor(['urn:nobody'])]).toEqual([[standard], [standard], [ours], []]);
  });

  test.each([
    ['account.password_set', 'caep/event-type/credential-change', { credential_type: 'password', change_type: 'update' }],
    ['account.mfa_enrolled', 'caep/event-type/credential-change', { credential_type: 'app', change_type: 'create' }],
    ['account.mfa_removed', 'caep/event-type/credential-change', { credential_type: 'app', change_type: 'delete' }],
    ['account.disabled', 'risc/event-type/account-disabled', {}],
    ['account.enabled', 'risc/event-type/account-enabled', {}],
    ['account.erased', 'risc/event-type/account-purged', {}],
  ])('tells %s of a person by issuer and subject', (type, name, said) => {
    const { data } = exampleOf(type);
    expect(signalClaims(exampleOf(type), of)).toMatchObject({
      sub_id: { format: 'iss_sub', iss: issuer, sub: data['accountId'] },
      events: { [`${secevent}/${name}`]: { event_timestamp: 1_785_319_745, ...said } },
    });
  });

  test('tells a stream of itself whatever it asked for', () => {
    const asked = { ...of, requested: [] };
    const update = `${secevent}/ssf/event-type/stream-updated`;
    const verification = `${secevent}/ssf/event-type/verification`;
    for (const [type, uri, said] of [
      ['webhook_endpoint.enabled', update, { status: 'enabled' }],
      ['webhook_endpoint.disabled', update, { status: 'disabled', reason: 'operator' }],
      ['webhook_endpoint.verification', verification, {}],
      ['webhook_endpoint.test', verification, {}],
    ] as const)
      expect(signalClaims(exampleOf(type), asked)).toEqual({
        sub_id: { format: 'opaque', id: 'stream-1' },
        events: { [uri]: said },
        txn: '1042',
      });
  });

  test('tells of a sign-in and of a grant as sessions of a person, and of a client that acts for itself without one', () => {
    const { data: signIn } = exampleOf('sign_in.ended');
    const user = { format: 'iss_sub', iss: issuer, sub: signIn['accountId'] };
    expect(signalClaims(exampleOf('sign_in.ended'), of)).toMatchObject({
      sub_id: { format: 'complex', user, session: { format: 'opaque', id: signIn['signInId'] } },
      events: { [`${secevent}/caep/event-type/session-revoked`]: { initiating_entity: 'user', reason_admin: { en: 'signed_out' } } },
    });
    const { accountId: _, ...itself } = exampleOf('grant.context_selected').data;
    expect(signalClaims({ ...exampleOf('grant.context_selected'), data: itself }, of)).toMatchObject({
      sub_id: { format: 'complex', session: { id: itself['grantId'] }, application: { format: 'opaque', id: 'vault-agent' } },
      events: { [`${secevent}/caep/event-type/token-claims-change`]: { claims: { context: 'household-2' } } },
    });
  });
});

test('what is delivered is what there is of what was asked for, and what is heard is never nothing', () => {
  expect(deliveredSignals(null)).toEqual(signalUris);
  expect(deliveredSignals([`${secevent}/risc/event-type/account-enabled`, 'urn:nobody'])).toEqual([
    `${secevent}/risc/event-type/account-enabled`,
  ]);
  expect(typesOfSignals([])).toEqual(['webhook_endpoint.verification']);
  expect(typesOfSignals([`${secevent}/caep/event-type/session-revoked`]).toSorted()).toEqual([
    'grant.revoked',
    'sign_in.ended',
    'webhook_endpoint.verification',
  ]);
});
