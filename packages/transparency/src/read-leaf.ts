import type { JsonObject } from './canonical-json.ts';
import { leafFormat, leafOf } from './leaf.ts';
import { faultOfEvent, type StoredEvent } from './stored-event.ts';

/** Why bytes are no leaf. `not_canonical` includes members that are not ours, and two of one name. */
export type LeafRefusal = 'not_json' | 'other_format' | 'malformed' | 'not_canonical';

export type LeafReading =
  | { readonly outcome: 'read'; readonly event: StoredEvent }
  | { readonly outcome: 'refused'; readonly reason: LeafRefusal };

const refused = (reason: LeafRefusal): LeafReading => ({ outcome: 'refused', reason });

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
// What JSON.parse calls an object holds nothing but JSON.
const isJsonObject = (value: unknown): value is JsonObject => isObject(value);
const isTextOrNull = (value: unknown): value is string | null => value === null || typeof value === 'string';

const parse = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return undefined;
  }
};

const eventOf = (row: Readonly<Record<string, unknown>>): StoredEvent | null => {
  const { platform, position, stream_id, version, commit_id, type, schema_version } = row;
  const { data, personal_digest, actor, correlation_id, causation_id, recorded_at } = row;
  if (typeof platform !== 'string' || typeof stream_id !== 'string' || typeof commit_id !== 'string') return null;
  if (typeof type !== 'string' || typeof correlation_id !== 'string' || typeof recorded_at !== 'string') return null;
  if (typeof position !== 'number' || typeof version !== 'number' || typeof schema_version !== 'number') return null;
  if (!isTextOrNull(personal_digest) || !isTextOrNull(causation_id)) return null;
  if (!isJsonObject(data) || !isJsonObject(actor)) return null;
  return {
    platform,
    position,
    streamId: stream_id,
    version,
    commitId: commit_id,
    type,
    schemaVersion: schema_version,
    data,
    personalDigest: personal_digest,
    actor,
    correlationId: correlation_id,
    causationId: causation_id,
    recordedAt: recorded_at,
  };
};

/** Null where the event has no canonical form: lone surrogates written as escapes, JSON nested too deep. */
const canonicalOf = (event: StoredEvent): Uint8Array | null => {
  try {
    return leafOf(event);
  } catch {
    return null;
  }
};

/** The event that a leaf's bytes say, or why they are none: only what {@link leafOf} would write is read, so an event has one spelling. */
export const readLeaf = (bytes: Uint8Array): LeafReading => {
  const row = parse(bytes);
  if (!isObject(row)) return refused('not_json');
  if (row['format'] !== leafFormat) return refused('other_format');
  const event = eventOf(row);
  if (event === null || faultOfEvent(event) !== null) return refused('malformed');
  const canonical = canonicalOf(event);
  if (canonical === null || Buffer.compare(canonical, bytes) !== 0) return refused('not_canonical');
  return { outcome: 'read', event };
};
