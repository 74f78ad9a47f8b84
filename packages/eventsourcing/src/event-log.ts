import type { Actor, DomainEvent, JsonValue, RecordedEvent } from './event.ts';
import type { CommitId, PlatformId, StreamId } from './ids.ts';

/** One secret of a stream as `credential` holds it: sealed, insert-only. */
export type SealedCredential = { readonly id: string; readonly kind: string; readonly sealed: Uint8Array };

/** What to load of one stream. */
export type LoadRequest = {
  readonly streamId: StreamId;
  /** Also load the streams that this one names in its first event: client, account, session, owner. */
  readonly follow?: boolean;
  /** Also load the stream's sealed credentials and data key, and those of streams followed from it. */
  readonly withSecrets?: boolean;
};

/** One stream: the snapshot of its fold, if there is one, and every event after it. */
export type LoadedStream = {
  readonly streamId: StreamId;
  /** The stream's current version; 0 when nothing stands in it. */
  readonly version: number;
  readonly snapshot: { readonly version: number; readonly state: JsonValue } | null;
  readonly events: readonly RecordedEvent[];
  readonly credentials: readonly SealedCredential[];
  /** The wrapped data key of the subject this stream is, or null when it never had one or is erased. */
  readonly dataKey: Uint8Array | null;
};

/** An answer of {@link EventLog.load}: exact at one instant of the database. */
export type Loaded = {
  /** The database's clock at the load, milliseconds since the epoch. */
  readonly now: number;
  readonly stream: (id: StreamId) => LoadedStream;
};

export type NewEvent = DomainEvent & {
  readonly schemaVersion?: number;
  readonly personal?: Uint8Array;
};

/** Events for streams with their expected versions, and the versions of streams only read: all or nothing. */
export type Commit = {
  readonly commitId: CommitId;
  readonly writes: readonly { readonly streamId: StreamId; readonly expected: number; readonly events: readonly NewEvent[] }[];
  readonly reads: readonly { readonly streamId: StreamId; readonly expected: number }[];
  readonly actor: Actor;
  readonly correlationId: string;
  /** The commit whose events led to this one, an earlier one of the same platform; left out where a request made it directly. */
  readonly causationId?: string;
};

export type Appended = {
  readonly outcome: 'appended';
  /** Position of the commit's first event; the others follow it without a gap, in the order of `writes`. */
  readonly position: number;
  readonly recordedAt: number;
};
export type AppendResult = Appended | { readonly outcome: 'conflict' };

/**
 * The log as commands see it.
 *
 * Both calls may throw `LogUnavailable` (answer 503, and nothing is known to have happened or not) or
 * `UnknownPlatform`. `append` throws `RejectedByDatabase` for a commit whose values Postgres refuses.
 */
export type EventLog = {
  readonly load: (platform: PlatformId, requests: readonly LoadRequest[]) => Promise<Loaded>;
  readonly append: (platform: PlatformId, commit: Commit) => Promise<AppendResult>;
};

/** The log cannot answer now; the caller may ask again later. */
export class LogUnavailable extends Error {
  override readonly name = 'LogUnavailable';
}

/** No such platform in the log. */
export class UnknownPlatform extends Error {
  override readonly name = 'UnknownPlatform';
}

/** Postgres refused this commit's values (not its versions); a defect or bad input that the edge let through. */
export class RejectedByDatabase extends Error {
  override readonly name = 'RejectedByDatabase';
}
