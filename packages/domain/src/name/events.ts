import type { DomainEvent, StreamId } from '@grantlog/eventsourcing';

/** What kind of name is claimed. The name itself is only in the stream's id, as a keyed hash. */
export type NameKind = 'email' | 'client_metadata_url' | 'jti' | 'totp_step' | 'user_code';

/** Facts of one unique name. `owner` is the stream that holds it: a load follows it. */
export type NameEvent =
  | DomainEvent<'name.claimed', { readonly kind: NameKind; readonly owner: StreamId }>
  | DomainEvent<'name.released', Record<string, never>>;
