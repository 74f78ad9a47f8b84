import type { JsonObject } from './canonical-json.ts';

/** A row of the log as it is stored, before any upcast. */
export type StoredEvent = {
  readonly platform: string;
  /** Counts from 1 within the platform's log. */
  readonly position: number;
  readonly streamId: string;
  /** Counts from 1 within the stream. */
  readonly version: number;
  readonly commitId: string;
  readonly type: string;
  readonly schemaVersion: number;
  readonly data: JsonObject;
  /** SHA-256 of the sealed personal data, base64url; so that erasing it, which destroys its key alone, breaks no proof. */
  readonly personalDigest: string | null;
  readonly actor: JsonObject;
  readonly correlationId: string;
  readonly causationId: string | null;
  /** UTC to the microsecond, `2026-11-22T05:20:00.123456Z`. */
  readonly recordedAt: string;
};

const utcToTheMicrosecond = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const digestText = /^[A-Za-z0-9_-]{43}$/;

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 1;

/** What is wrong with the values of an event's fields, in words. Null when nothing is. */
export const faultOfEvent = (event: StoredEvent): string | null => {
  if (!isCount(event.position) || !isCount(event.version) || !isCount(event.schemaVersion))
    return 'position, version and schema_version are whole numbers from 1';
  if (!utcToTheMicrosecond.test(event.recordedAt)) return 'recorded_at is not UTC to the microsecond';
  if (event.personalDigest !== null && !digestText.test(event.personalDigest)) return 'personal_digest is not a SHA-256 in base64url';
  return null;
};
