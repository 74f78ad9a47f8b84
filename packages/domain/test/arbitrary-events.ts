import type { StreamId } from '@grantlog/eventsourcing';
import fc, { type Arbitrary } from 'fast-check';
import type { AccountId, GrantlogEvent, Issue } from '../src/index.ts';
import { documentOf } from './documents.ts';

type Type = GrantlogEvent['type'];
type DataOf<T extends Type> = Extract<GrantlogEvent, { type: T }>['data'];

const streamId = (kind: string) => fc.nat(9).map((n) => `00000000-${kind}-8000-8000-00000000000${n}` as StreamId & never);
const credentialId = fc.nat(999).map((n) => `credential-${String(n).padStart(3, '0')}`);
const reason = fc.constantFrom('reason-a', 'reason-b');
const seconds = fc.integer({ min: 1_700_000_000, max: 1_799_999_999 });
const nothing = fc.constant({});
const rotation = fc.record({ credentialId, previousValidUntil: seconds });
const issue: Arbitrary<Issue> = fc.record({
  sequence: fc.integer({ min: 1000, max: 9999 }),
  issuedAt: seconds.map((whole) => whole * 1000),
  accessExpiresAt: seconds,
  refreshExpiresAt: seconds,
  scopes: fc.constant([0, 1]),
  resource: fc.constant(null),
  tokenKeyId: fc.constant(1),
});
const code = fc.record({
  expiresAt: seconds,
  redirectUri: fc.constantFrom('https://a.example/cb', null),
  redirectUriSent: fc.boolean(),
  codeChallenge: fc.constant(null),
  tokenKeyId: fc.constant(1),
  nonce: fc.constant(null),
});
const grantTerms = {
  flow: fc.constant('authorization_code' as const),
  client: streamId('0004'),
  clientId: fc.constant('robot'),
  account: streamId('0003'),
  session: fc.constant(null),
  signIn: fc.constant(null),
  scopes: fc.constant(['openid', 'read']),
  resources: fc.constant([]),
  authTime: seconds,
  amr: fc.constantFrom(['pwd'], ['pwd', 'otp', 'mfa']),
};
const clientRegistration = fc.record({
  clientId: fc.constant('robot' as string & never),
  kind: fc.constant('confidential' as const),
  how: fc.constantFrom('preset' as const, 'portal' as const),
  name: fc.constant('Robot'),
  redirectUris: fc.constant(['https://a.example/cb']),
  grantTypes: fc.constant(['authorization_code' as const]),
  scopes: fc.constant(null),
  authMethods: fc.constant(['client_secret_basic' as const]),
  idTokenAlg: fc.constant(null),
  secretCredential: credentialId,
  approval: fc.constantFrom('pending' as const, 'approved' as const),
  serves: fc.constant([]),
  roles: fc.constant([]),
  tokenNonce: fc.constant(null),
  owner: fc.option(streamId('0003')),
});
const endpoint = {
  url: fc.constantFrom('https://a.example/1', 'https://a.example/2'),
  types: fc.constantFrom(['grant.revoked'], ['grant.expired']),
  ordered: fc.boolean(),
  concurrency: fc.integer({ min: 1, max: 9 }),
  description: fc.constantFrom('one', 'two'),
};
const sessionTerms = fc.record({
  client: streamId('0004'),
  clientId: fc.constant('robot'),
  via: fc.constantFrom('init_signup' as const, 'device_authorization' as const),
  scopes: fc.constant(['openid', 'read']),
  resources: fc.constant([]),
  codeChallenge: fc.constantFrom('challenge', null),
  expiresAt: seconds,
  intervalSeconds: fc.integer({ min: 1, max: 60 }),
  tokenKeyId: fc.constant(1),
  tokenNonce: fc.constant('nonce'),
});
const keyName = fc.oneof(
  fc.record({ use: fc.constant('token' as const), keyId: fc.integer({ min: 1, max: 9 }), alg: fc.constant('HS256' as const) }),
  fc.record({ use: fc.constant('sign' as const), keyId: fc.constantFrom('a', 'b'), alg: fc.constant('ES256' as const) }),
);

/** Data for every type of event; the compiler finds a type that is missing here. */
export const eventData: { readonly [T in Type]: Arbitrary<DataOf<T>> } = {
  'platform.configured': fc.record({ document: fc.constantFrom(documentOf(), documentOf({ displayName: 'Bcme' })) }),
  'platform.suspended': fc.record({ reason }),
  'platform.resumed': nothing,
  'platform.grants_revoked': fc.record({ reason }),
  'signing_key.created': fc.oneof(
    fc.record({
      use: fc.constant('token' as const),
      keyId: fc.integer({ min: 1, max: 9 }),
      alg: fc.constant('HS256' as const),
      credentialId,
      publicJwk: fc.constant(null),
    }),
    fc.record({
      use: fc.constant('sign' as const),
      keyId: fc.constantFrom('a', 'b'),
      alg: fc.constant('ES256' as const),
      credentialId,
      publicJwk: fc.constant({ kty: 'EC' }),
    }),
  ),
  'signing_key.activated': fc.tuple(keyName, seconds).map(([key, previousVerifiesUntil]) => ({ ...key, previousVerifiesUntil })),
  'signing_key.retired': keyName.map(({ use, keyId }) => ({ use, keyId, reason: 'routine' as const })),
  'session.started': sessionTerms,
  'session.webhook_registered': fc.record({ endpoint: streamId('0006') }),
  'session.linked': fc.record({ account: streamId('0003'), signIn: streamId('0007') }),
  'session.redeemed': nothing,
  'session.denied': fc.record({
    reason: fc.constantFrom('by_account' as const, 'wrong_number' as const),
    account: fc.option(streamId('0003')),
  }),
  'session.expired': fc.record({ at: seconds.map((whole) => whole * 1000) }),
  'session.revoked': fc.record({ reason: fc.constantFrom('by_account' as const, 'by_client' as const), by: fc.option(streamId('0003')) }),
  'account.registered': fc.record({
    emailName: streamId('0005'),
    kind: fc.constantFrom('person' as const, 'integration' as const),
    emailVerified: fc.boolean(),
  }),
  'account.password_set': fc.record({ credentialId }),
  'account.roles_assigned': fc.record({ roles: fc.constantFrom(['admin'], ['staff']) }),
  'account.mfa_enrolled': fc.record({ factor: fc.constantFrom('totp' as const, 'passkey' as const), credentialId }),
  'account.mfa_removed': fc.record({ factor: fc.constantFrom('totp' as const, 'passkey' as const) }),
  'account.recovery_codes_set': fc.record({ credentialId, count: fc.integer({ min: 1, max: 10 }) }),
  'account.recovery_code_used': fc.record({ index: fc.integer({ min: 0, max: 9 }) }),
  'account.contexts_set': fc.record({ contexts: fc.constantFrom(['safe-1'], ['safe-2']) }),
  'account.subject_linked': fc.record({ issuer: fc.constant('https://idp.example'), subjectName: streamId('0005') }),
  'account.disabled': fc.record({ reason }),
  'account.enabled': nothing,
  'account.grants_revoked': fc.record({ reason }),
  'account.erased': nothing,
  'audit.read': fc.record({
    question: fc.constantFrom('events' as const, 'grant' as const),
    about: fc.record({ account: streamId('0003') }),
  }),
  'audit.archived': fc.record({
    archive: fc.uuid(),
    month: fc.constantFrom('2026-03', '2026-04'),
    file: fc.constant('arlo-2026-03.ndjson.gz'),
    sha256: fc.constant('0'.repeat(64)),
    events: fc.integer({ min: 1 }),
    streams: fc.integer({ min: 1 }),
    firstPosition: fc.integer({ min: 1 }),
    lastPosition: fc.integer({ min: 1 }),
    treeSize: fc.integer({ min: 1 }),
  }),
  'sign_in.succeeded': fc.record({ account: streamId('0003'), method: fc.constant('password' as const), amr: fc.constant(['pwd']) }),
  'sign_in.failed': fc.record({ account: fc.option(streamId('0003')), reason: fc.constant('wrong_password' as const) }),
  'sign_in.ended': fc.record({ reason: fc.constant('signed_out' as const) }),
  'client.registered': clientRegistration,
  'client.updated': fc.constantFrom({ name: 'Tobor' }, { redirectUris: ['https://b.example/cb'] }, {}),
  'client.approved': nothing,
  'client.rejected': fc.record({ reason }),
  'client.resubmitted': nothing,
  'client.change_proposed': fc.record({
    changes: fc.constantFrom({ name: 'Tobor' }, { redirectUris: ['https://b.example/cb'], scopes: ['read'] }),
  }),
  'client.change_withdrawn': nothing,
  'client.change_rejected': fc.record({ reason }),
  'client.secret_rotated': rotation,
  'client.disabled': fc.record({ reason }),
  'client.enabled': nothing,
  'client.grants_revoked': fc.record({ reason }),
  'client.used': nothing,
  'client.deleted': fc.constantFrom({}, { reason: 'unused' as const }),
  'name.claimed': fc.record({ kind: fc.constantFrom('email' as const, 'totp_step' as const), owner: streamId('0003') }),
  'name.released': nothing,
  'webhook_endpoint.registered': fc.record({
    ...endpoint,
    client: fc.constant(null),
    grants: fc.constant(null),
    registeredBy: fc.constantFrom('operator' as const, 'client' as const, 'grant' as const),
    slot: streamId('0005'),
    headers: fc.record({ credentialId, names: fc.constant(['x-api-key']) }),
    secretCredentials: credentialId.map((id) => [id]),
    signature: fc.constant('v1' as const),
  }),
  'webhook_endpoint.verified': nothing,
  'webhook_endpoint.tested': nothing,
  'webhook_endpoint.failing': fc.record({ failingSince: seconds }),
  'webhook_endpoint.updated': fc.record(endpoint, { requiredKeys: [] }),
  'webhook_endpoint.secret_rotated': rotation,
  'webhook_endpoint.bearer_rotated': rotation,
  'webhook_endpoint.headers_set': fc.oneof(
    fc.record({ credentialId, names: fc.constantFrom(['x-api-key'], ['x-tenant']) }),
    fc.constant({ credentialId: null, names: [] }),
  ),
  'webhook_endpoint.context_set': fc.record({ hasDeliveryContext: fc.boolean() }),
  'webhook_endpoint.disabled': fc.record({ reason: fc.constantFrom('operator' as const, 'gone' as const) }),
  'webhook_endpoint.enabled': nothing,
  'webhook_endpoint.recovery_requested': fc.record({
    recoveryId: fc.constantFrom('01890000-0000-7000-8000-00000000000a', '01890000-0000-7000-8000-00000000000b'),
    from: fc.constant(1_000),
    through: fc.constantFrom(2_000, null),
    ratePerSecond: fc.constant(50),
    includeDelivered: fc.boolean(),
  }),
  'webhook_endpoint.recovery_cancelled': fc.record({ recoveryId: fc.constant('01890000-0000-7000-8000-00000000000a') }),
  'webhook_endpoint.paused': fc.record({ reason: fc.constantFrom('reason-a', null) }),
  'webhook_endpoint.resumed': nothing,
  'webhook_endpoint.subject_removed': fc.record({ account: fc.constant('00000000-0003-8c21-a4d0-5b9e6f7a8c13' as AccountId) }),
  'webhook_endpoint.subject_added': fc.record({ account: fc.constant('00000000-0003-8c21-a4d0-5b9e6f7a8c13' as AccountId) }),
  'webhook_endpoint.deleted': nothing,
  'grant.authorized': fc.record({ ...grantTerms, tokenNonce: fc.constant('n'), code, issue: fc.constant(null) }),
  'grant.denied': fc.record({ ...grantTerms, reason: fc.constant('by_account' as const) }),
  'grant.code_redeemed': fc.record({ issue }),
  'grant.code_replayed': fc.record({ by: fc.constant('client' as const), redeemedAt: seconds }),
  'grant.refreshed': fc.record({ issue }),
  'grant.refresh_retried': fc.record({ sequence: fc.nat(99) }),
  'grant.refresh_reused': fc.record({ sequence: fc.nat(99), current: fc.nat(99) }),
  'grant.context_selected': fc.record({ context: fc.constantFrom('safe-1', 'safe-2') }),
  'grant.access_token_revoked': fc.record({ sequence: fc.nat(99), accessExpiresAt: seconds }),
  'grant.expired': fc.record({ at: seconds }),
  'grant.revoked': fc.record({ reason: fc.constant('by_client' as const), by: fc.constant(null) }),
};

/** Every type of event of one aggregate, in the order of the table. */
export const typesOf = (aggregate: string): readonly Type[] =>
  (Object.keys(eventData) as Type[]).filter((type) => type.startsWith(`${aggregate}.`));

/** The names of all aggregates, as event types begin. */
export const aggregateNames: readonly string[] = [...new Set(Object.keys(eventData).map((type) => type.split('.', 1)[0] ?? ''))];

/** Any event of these types, in no sensible order. */
export const eventOf = (types: readonly Type[]): Arbitrary<GrantlogEvent> =>
  // Type and data come from the same entry of the table.
  fc.oneof(...types.map((type) => (eventData[type] as Arbitrary<unknown>).map((data) => ({ type, data }) as GrantlogEvent)));
