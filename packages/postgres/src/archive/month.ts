import type { StreamId } from '@grantlog/eventsourcing';

/** A month of the log, in UTC: the streams that began in it, whenever their events were. */
export type Month = {
  /** As `2026-03`. */
  readonly name: string;
  /** Its partition of the event table. */
  readonly table: string;
  /** The first possible id of a stream of this month, and of the next. */
  readonly from: StreamId;
  readonly to: StreamId;
  /** When it ended, milliseconds since the epoch. */
  readonly endedAt: number;
};

const shape = /^(\d{4})-(0[1-9]|1[0-2])$/;

/** The lowest id of RFC 9562 §5.7 with this time. */
const floorOf = (ms: number): StreamId => {
  const time = ms.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000` as StreamId;
};

/** A month by its name; null for a text that names none. */
export const parseMonth = (text: string): Month | null => {
  const found = shape.exec(text);
  if (found === null) return null;
  const [, year, month] = found;
  const at = (offset: number): number => Date.UTC(Number(year), Number(month) - 1 + offset);
  return { name: text, table: `event_${year}_${month}`, from: floorOf(at(0)), to: floorOf(at(1)), endedAt: at(1) };
};

/** The month in which a stream began, as `2026-03`; null for one without end. */
export const monthOf = (streamId: StreamId): string | null => {
  // Streams without end have ids below every time (design §3).
  const ms = Number.parseInt(streamId.slice(0, 8) + streamId.slice(9, 13), 16);
  return streamId < '01000000' ? null : new Date(ms).toISOString().slice(0, 7);
};
