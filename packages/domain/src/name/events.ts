import type { DomainEvent, StreamId } from '@grantlog/eventsourcing';

/** What kind of name is claimed. The name itself is only in the stream's id, as a keyed hash. */
export type NameKind =
  | 'email'
  | 'client_metadata_url'
  /** A one-time assertion of a client or of an identity provider. */
  | 'jti'
  | 'totp_step'
  | 'user_code'
  /** What an account allowed a client, redirect URI, scopes and resources included; its owner is the grant that is remembered. */
  | 'consent'
  /** A pushed authorization request: whoever decides it first has used it. */
  | 'request_uri'
  /** A person of an identity provider; its owner is the account that stands for them here. */
  | 'external_subject'
  /** A place among the webhook endpoints that a client or a grant may have; its owner is the endpoint that takes it. */
  | 'endpoint_slot';

/** Facts of one unique name. `owner` is the stream that holds it: a load follows it. */
export type NameEvent =
  | DomainEvent<'name.claimed', { readonly kind: NameKind; readonly owner: StreamId }>
  | DomainEvent<'name.released', Record<string, never>>;
