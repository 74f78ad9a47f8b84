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

/** A file of events of one month that are over, which may leave the log as soon as this is in it. */
export type ArchiveFile = {
  /** The id of the archive. */
  readonly archive: string;
  /** In which the streams began, UTC, as `2026-03`. */
  readonly month: string;
  /** Its name, without a folder. */
  readonly file: string;
  /** SHA-256 of the file, hex. */
  readonly sha256: string;
  readonly events: number;
  readonly streams: number;
  readonly firstPosition: number;
  readonly lastPosition: number;
  /** Leaves of the signed tree that the file proves its events to be in. */
  readonly treeSize: number;
};

/**
 * Facts about the audit trail itself, one a stream.
 *
 * Of the reading of what is other people's: who asked is its actor, and which request it was its correlation. `about` has ids,
 * types and times as they were asked for, and keyed hashes of whatever else would name a person. Of an archive: the file that
 * was written, so that no other can be shown for it.
 */
export type AuditEvent =
  | DomainEvent<'audit.read', { readonly question: AuditQuestion; readonly about: JsonObject }>
  | DomainEvent<'audit.archived', ArchiveFile>;
