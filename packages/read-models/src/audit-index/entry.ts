import type { Actor, CommitId, PlatformId, RecordedEvent, StreamId } from '@grantlog/eventsourcing';
import type { Transaction } from '@grantlog/postgres';
import type { Concerned } from './concerns.ts';

/** An event as the index keeps it, and whom it concerns. `clock` is milliseconds since the epoch. */
export type NewEntry = Concerned & {
  readonly position: number;
  readonly clock: number;
  readonly streamId: StreamId;
  readonly version: number;
  readonly type: string;
  readonly actor: Actor;
  readonly trace: string;
  readonly commitId: CommitId;
  /** The commit that led to it; null where a request made it directly. */
  readonly causeId: CommitId | null;
};

/** Whom a stream concerns as of its last event. Of a grant also the positions at which it began and ended; else null. */
export type AuditStream = Concerned & { readonly streamId: StreamId; readonly began: number | null; readonly ended: number | null };

/** An event that tells from which address it came, sealed under the data key of `subject`. */
export type SealedAddress = { readonly subject: StreamId; readonly event: RecordedEvent };

/**
 * Keyed hashes (16 bytes) of the addresses of events, by their positions; none where the data key is gone. The keys that it opened
 * must stay until the transaction ends.
 */
export type AddressDigests = (
  client: Transaction,
  of: { readonly platform: PlatformId; readonly sealed: readonly SealedAddress[] },
) => Promise<ReadonlyMap<number, Uint8Array>>;
