import type { CommitId, PlatformId, StreamId } from './ids.ts';

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };
export type JsonObject = { readonly [key: string]: JsonValue };

/** Who caused an event. `id` is a stream id or a fixed name, never a name of a person. */
export type Actor = {
  readonly kind: 'account' | 'client' | 'operator' | 'system';
  readonly id: string;
};

/**
 * Personal data of one subject, already sealed under the subject's data key.
 * The bytes are AES-256-GCM with platform, stream and version as associated data, so they cannot be moved.
 */
export type SealedPersonal = { readonly subject: StreamId; readonly sealed: Uint8Array };

/** A fact as a decider states it: past-tense dotted type and plain data. Never a secret, a token, a code or personal data. */
export type DomainEvent<Type extends string = string, Data extends object = object> = {
  readonly type: Type;
  readonly data: Data;
};

/** Where and when an event stands in its platform's log. */
export type Placement = {
  readonly streamId: StreamId;
  /** Counts from 1 within the stream. */
  readonly version: number;
  /** Counts from 1 within the platform's log, gapless, in commit order. */
  readonly position: number;
  /** The database's clock, milliseconds since the epoch with a fraction down to the microsecond. */
  readonly recordedAt: number;
};

/** An event as it stands in the log. */
export type RecordedEvent<E extends DomainEvent = DomainEvent> = E &
  Placement & {
    readonly platform: PlatformId;
    readonly commitId: CommitId;
    readonly schemaVersion: number;
    readonly personal: Uint8Array | null;
    readonly actor: Actor;
    readonly correlationId: string;
    /** The id of the commit whose events led to this one; null where a request made it directly. */
    readonly causationId: string | null;
  };
