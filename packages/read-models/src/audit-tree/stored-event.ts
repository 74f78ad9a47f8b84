import { sha256 } from '@grantlog/crypto';
import type { RecordedEvent } from '@grantlog/eventsourcing';
import type { StoredEvent } from '@grantlog/transparency';

const digestOf = (personal: Uint8Array | null): string | null =>
  personal === null ? null : Buffer.from(sha256(personal)).toString('base64url');

/** Milliseconds with a fraction down to the microsecond, as text. */
const toTheMicrosecond = (ms: number): string => {
  const micros = Math.round(ms * 1_000);
  const whole = Math.floor(micros / 1_000);
  return `${new Date(whole).toISOString().slice(0, -1)}${String(micros - whole * 1_000).padStart(3, '0')}Z`;
};

/** An event as its leaf has it. */
export const storedEventOf = (event: RecordedEvent): StoredEvent => ({
  platform: event.platform,
  position: event.position,
  streamId: event.streamId,
  version: event.version,
  commitId: event.commitId,
  type: event.type,
  schemaVersion: event.schemaVersion,
  // The column has a check: it is a JSON object.
  data: event.data as StoredEvent['data'],
  personalDigest: digestOf(event.personal),
  actor: event.actor,
  correlationId: event.correlationId,
  causationId: event.causationId,
  recordedAt: toTheMicrosecond(event.recordedAt),
});
