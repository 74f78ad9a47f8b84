import type { DomainEvent, JsonObject } from '@grantlog/eventsourcing';

/** What somebody asked the audit trail. */
export type AuditQuestion =
  | 'events'
  | 'count'
  | 'export'
  | 'lineage'
  | 'grant'
  | 'client'
  | 'account'
  | 'live_grants'
  /** Whether a token was good; the token itself is nowhere. */
  | 'token'
  /** Leaves of the tree, which hold the events themselves. */
  | 'entries';

/**
 * Facts of the reading of what is other people's. A stream holds one such fact: who asked is its actor, and which request it was
 * its correlation. `about` has ids, types and times as they were asked for, and keyed hashes of whatever else would name a person.
 */
export type AuditEvent = DomainEvent<'audit.read', { readonly question: AuditQuestion; readonly about: JsonObject }>;
