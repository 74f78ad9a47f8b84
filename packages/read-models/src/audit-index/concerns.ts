import { type GrantlogEvent, type GrantTerms, sameAnswer, standingKinds } from '@grantlog/domain';
import type { JsonObject, RecordedEvent, StreamId } from '@grantlog/eventsourcing';

/** Whom an event concerns, besides its own stream; null where nobody of the kind. */
export type Concerned = { readonly account: StreamId | null; readonly client: StreamId | null; readonly session: StreamId | null };

/** What an event says of whom it concerns. */
export type Said = {
  /** Whom its stream concerns from here on. */
  readonly stream?: Partial<Concerned>;
  /** Whom it concerns besides, by itself alone. */
  readonly event?: Partial<Concerned>;
  /** Whose data key opens the address that it came from; null or absent where it tells none. */
  readonly addressOf?: StreamId | null;
};

/**
 * `its_stream`: whom its stream concerns as of the event before. `account`, `client`: what its stream is, and nobody else.
 */
type Concern<Event> = 'its_stream' | 'account' | 'client' | 'nobody' | ((event: Event) => Said);

type EventOf<Type extends GrantlogEvent['type']> = RecordedEvent<Extract<GrantlogEvent, { readonly type: Type }>>;

const terms = ({ data }: { readonly data: Pick<GrantTerms, 'client' | 'account' | 'session'> }): Said => ({
  stream: { client: data.client, account: data.account, session: data.session },
});

const kindOf = (id: StreamId): number | null => (id.startsWith('00000000-') ? Number.parseInt(id.slice(9, 13), 16) : null);

const ownerOf = (owner: StreamId): Partial<Concerned> => {
  switch (kindOf(owner)) {
    case standingKinds.account:
      return { account: owner };
    case standingKinds.client:
      return { client: owner };
    // Consents, codes and places of endpoints: what they belong to says itself whom it concerns.
    default:
      return {};
  }
};

/** Whose data was read: they may see who did. A client's developer may not: that could be whom it is about. */
const whomReadAbout = ({ account }: JsonObject): Partial<Concerned> =>
  typeof account === 'string' ? { account: account as StreamId } : {};

/** Whom every event concerns: one answer for each type there is, so that a new one does not compile until it has one. */
const concerns: { readonly [Type in GrantlogEvent['type']]: Concern<EventOf<Type>> } = {
  'grant.authorized': terms,
  'grant.denied': terms,
  ...sameAnswer('its_stream', 'grant', 'code_redeemed', 'refreshed', 'context_selected', 'expired', 'revoked', 'access_token_revoked'),
  ...sameAnswer('its_stream', 'grant', 'code_replayed', 'refresh_retried', 'refresh_reused'),
  'session.started': ({ streamId, data }) => ({ stream: { client: data.client, session: streamId }, addressOf: streamId }),
  'session.linked': ({ data }) => ({ stream: { account: data.account } }),
  'session.denied': ({ data }) => (data.account === null ? {} : { stream: { account: data.account } }),
  ...sameAnswer('its_stream', 'session', 'webhook_registered', 'redeemed', 'expired', 'revoked'),
  'sign_in.succeeded': ({ data }) => ({ stream: { account: data.account }, addressOf: data.account }),
  'sign_in.failed': ({ data }) => ({ stream: { account: data.account }, addressOf: data.account }),
  'sign_in.ended': 'its_stream',
  'name.claimed': ({ data }) => ({ stream: { account: null, client: null, ...ownerOf(data.owner) } }),
  'name.released': 'its_stream',
  'webhook_endpoint.registered': ({ data }) => ({ stream: { client: data.client, session: data.session ?? null } }),
  'webhook_endpoint.subject_removed': ({ data }) => ({ event: { account: data.account } }),
  'webhook_endpoint.subject_added': ({ data }) => ({ event: { account: data.account } }),
  ...sameAnswer('its_stream', 'webhook_endpoint', 'verified', 'updated', 'secret_rotated', 'disabled', 'enabled', 'deleted', 'tested'),
  ...sameAnswer('its_stream', 'webhook_endpoint', 'bearer_rotated', 'headers_set', 'context_set', 'failing', 'paused', 'resumed'),
  ...sameAnswer('its_stream', 'webhook_endpoint', 'recovery_requested', 'recovery_cancelled'),
  ...sameAnswer('account', 'account', 'grants_revoked', 'registered', 'password_set', 'roles_assigned', 'mfa_enrolled', 'mfa_removed'),
  ...sameAnswer('account', 'account', 'contexts_set', 'subject_linked', 'recovery_codes_set', 'recovery_code_used', 'disabled', 'enabled'),
  'account.erased': 'account',
  ...sameAnswer('client', 'client', 'registered', 'updated', 'approved', 'rejected', 'resubmitted', 'change_proposed', 'used', 'deleted'),
  ...sameAnswer('client', 'client', 'change_withdrawn', 'change_rejected', 'secret_rotated', 'disabled', 'enabled', 'grants_revoked'),
  ...sameAnswer('nobody', 'platform', 'grants_revoked', 'configured', 'suspended', 'resumed'),
  ...sameAnswer('nobody', 'signing_key', 'created', 'activated', 'retired'),
  'audit.archived': 'nobody',
  'audit.read': ({ data }) => ({ event: whomReadAbout(data.about) }),
};

/** The answer for an event as the log has it. Of a type that this process does not know, its stream concerns whom it did before. */
export const concernOf = (type: string): Concern<RecordedEvent> =>
  // The key is the event's own type, so the answer found under it takes exactly such events.
  (concerns as Readonly<Record<string, Concern<RecordedEvent> | undefined>>)[type] ?? 'its_stream';
