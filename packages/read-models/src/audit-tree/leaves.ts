import { sha256 } from '@grantlog/crypto';
import type { RecordedEvent } from '@grantlog/eventsourcing';
import { leafOf, type StoredEvent } from '@grantlog/transparency';

const digestOf = (personal: Uint8Array | null): string | null =>
  personal === null ? null : Buffer.from(sha256(personal)).toString('base64url');

/** Spells milliseconds with a fraction down to the microsecond. What it spelled last it keeps: events come thousands a second. */
const createClock = (): ((ms: number) => string) => {
  let spelled = { second: Number.NaN, text: '' };
  return (ms) => {
    const micros = Math.round(ms * 1_000);
    const second = Math.floor(micros / 1_000_000);
    if (spelled.second !== second) spelled = { second, text: new Date(second * 1_000).toISOString().slice(0, -4) };
    return `${spelled.text}${String(micros - second * 1_000_000).padStart(6, '0')}Z`;
  };
};

/** The leaves of events: the bytes that stand for their rows in the tree. */
export const leavesOf = (events: readonly RecordedEvent[]): readonly Uint8Array[] => {
  const clock = createClock();
  return events.map(({ personal, recordedAt, data, ...event }) =>
    leafOf({
      ...event,
      // The column has a check: it is a JSON object.
      data: data as StoredEvent['data'],
      personalDigest: digestOf(personal),
      recordedAt: clock(recordedAt),
    }),
  );
};
