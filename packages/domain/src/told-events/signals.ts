import type { JsonObject } from '@grantlog/eventsourcing';
import { descriptions } from './descriptions.ts';
import { enabledType, testType, verificationType } from './tellings.ts';

/** How a message is told as a security event (SET, RFC 8417): its event, and what that says besides its subject and time. */
type Signal = { readonly uri: string; readonly payload: (data: JsonObject) => JsonObject };

const secevent = 'https://schemas.openid.net/secevent';
const caep = (name: string): string => `${secevent}/caep/event-type/${name}`;
const risc = (name: string): string => `${secevent}/risc/event-type/${name}`;

/** The event by which a receiver proves that it gets what it is sent (OpenID SSF 1.0 §8.1.4). */
export const verificationSignal = `${secevent}/ssf/event-type/verification`;

/** The event by which a receiver is told that somebody else has changed the status of its stream (OpenID SSF 1.0 §8.1.5). */
const updateSignal = `${secevent}/ssf/event-type/stream-updated`;

/** Events of ours that no standard has a name for. */
const own = (type: string): Signal => ({
  uri: `urn:grantlog:event-type:${type}`,
  payload: ({ platform: _, grantId: __, clientId: ___, accountId: ____, sessionId: _____, ...rest }) => rest,
});

// CAEP 1.0 §2: who caused it, as far as the reason tells.
const initiators: Readonly<Record<string, string>> = {
  by_account: 'user',
  signed_out: 'user',
  replaced: 'user',
  by_operator: 'admin',
  revoked_with_client: 'admin',
  revoked_with_platform: 'admin',
};
const because = ({ reason }: JsonObject): JsonObject =>
  typeof reason === 'string' ? { initiating_entity: initiators[reason] ?? 'policy', reason_admin: { en: reason } } : {};

const sessionRevoked: Signal = { uri: caep('session-revoked'), payload: because };
const none = (): JsonObject => ({});
// CAEP 1.0 §3.3 knows these words for the kinds of second factor.
const credentialTypes: Readonly<Record<string, string>> = { totp: 'app', passkey: 'fido2-platform' };
const credentialChange = (change: string): Signal => ({
  uri: caep('credential-change'),
  payload: ({ factor }) => ({
    credential_type: typeof factor === 'string' ? (credentialTypes[factor] ?? 'app') : 'password',
    change_type: change,
  }),
});

const grantTypes = Object.keys(descriptions).filter((type) => type.startsWith('grant.'));

/**
 * Types of messages that are told as security events. Of several names the first that a receiver asked for is used: a standard
 * one goes before ours, so that who asks for everything understands everything.
 */
const signals: ReadonlyMap<string, readonly Signal[]> = new Map<string, readonly Signal[]>([
  ...grantTypes.map((type): [string, readonly Signal[]] => [type, [own(type)]]),
  ['grant.revoked', [sessionRevoked, own('grant.revoked')]],
  [
    'grant.context_selected',
    [{ uri: caep('token-claims-change'), payload: ({ context = null }) => ({ claims: { context } }) }, own('grant.context_selected')],
  ],
  ['sign_in.ended', [sessionRevoked]],
  ['account.password_set', [credentialChange('update')]],
  ['account.mfa_enrolled', [credentialChange('create')]],
  ['account.mfa_removed', [credentialChange('delete')]],
  ['account.disabled', [{ uri: risc('account-disabled'), payload: none }]],
  ['account.enabled', [{ uri: risc('account-enabled'), payload: none }]],
  ['account.erased', [{ uri: risc('account-purged'), payload: none }]],
]);

/** URIs of all security events that there are, each once. */
export const signalUris: readonly string[] = [...new Set([...signals.values()].flat().map(({ uri }) => uri))];

/** What is sent of what was asked for; null asks for all. */
export const deliveredSignals = (requested: readonly string[] | null): readonly string[] =>
  requested === null ? signalUris : signalUris.filter((uri) => requested.includes(uri));

/** The types of messages that a receiver hears of who asked for these. Never none: it can always be asked to verify. */
export const typesOfSignals = (requested: readonly string[] | null): readonly string[] => {
  const delivered = deliveredSignals(requested);
  const heard = [...signals].flatMap(([type, named]) => (named.some(({ uri }) => delivered.includes(uri)) ? [type] : []));
  return [...heard, verificationType];
};

/** A member that is a text, for ids of the message. */
const idIn = (data: JsonObject, name: string): string | null => {
  const { [name]: id } = data;
  return typeof id === 'string' ? id : null;
};

const opaque = (id: string): JsonObject => ({ format: 'opaque', id });

/**
 * Whom a message is about (RFC 9493, SSF 1.0 §3): a person alone by issuer and subject; a grant as a session of a person with an
 * application, and a sign-in as a session of the person.
 */
const subjectOf = (data: JsonObject, issuer: string): JsonObject => {
  const [account, grant, signIn, client] = ['accountId', 'grantId', 'signInId', 'clientId'].map((name) => idIn(data, name)) as [
    string | null,
    string | null,
    string | null,
    string | null,
  ];
  const user = account === null ? null : { format: 'iss_sub', iss: issuer, sub: account };
  const session = grant ?? signIn;
  if (session === null) return user ?? opaque(client ?? '');
  return {
    format: 'complex',
    ...(user === null ? {} : { user }),
    session: opaque(session),
    ...(client === null ? {} : { application: opaque(client) }),
  };
};

/** What a SET says of a message, besides who says it to whom, when, and under which id. */
export type SignalClaims = { readonly sub_id: JsonObject; readonly events: JsonObject; readonly txn: string };

/**
 * A message as its body has it, as a security event for a receiver that asked for `requested`; null where it asked for none of its names. What is
 * about the stream itself is always told.
 *
 * @see RFC 8417, OpenID Shared Signals Framework 1.0, CAEP 1.0, RISC 1.0
 */
export const signalClaims = (
  message: { readonly type: string; readonly timestamp: string; readonly data: JsonObject },
  of: { readonly issuer: string; readonly stream: string; readonly requested: readonly string[] | null },
): SignalClaims | null => {
  const { type, timestamp, data } = message;
  const txn = String(data['position']);
  const ofStream = (uri: string, event: JsonObject): SignalClaims => ({ sub_id: opaque(of.stream), events: { [uri]: event }, txn });
  const { state, reason } = data;
  switch (type) {
    case verificationType:
    case testType:
      return ofStream(verificationSignal, state === undefined ? {} : { state });
    case enabledType:
      return ofStream(updateSignal, { status: 'enabled' });
    case 'webhook_endpoint.disabled':
      return ofStream(updateSignal, { status: 'disabled', ...(reason === undefined ? {} : { reason }) });
  }
  const signal = signals.get(type)?.find(({ uri }) => of.requested === null || of.requested.includes(uri));
  if (signal === undefined) return null;
  const at = Math.floor(Date.parse(timestamp) / 1_000);
  return { sub_id: subjectOf(data, of.issuer), events: { [signal.uri]: { event_timestamp: at, ...signal.payload(data) } }, txn };
};
