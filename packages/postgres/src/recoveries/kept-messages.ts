import type { PlatformId } from '@grantlog/eventsourcing';
import type { Database } from '../deliveries/database.ts';

/** A place in the log; `at` in milliseconds since the epoch. */
export type KeptPlace = { readonly position: number; readonly at: number };

/** The oldest message that a platform still has; null where it has none. */
export const readOldestMessage = async (pool: Database, platform: PlatformId): Promise<KeptPlace | null> => {
  const { rows } = await pool.query<KeptPlace>({
    name: 'grantlog.oldest-message',
    text: `select position, (extract(epoch from recorded_at) * 1000)::float8 as at from message
      where platform = $1 order by position, ordinal limit 1`,
    values: [platform],
  });
  return rows[0] ?? null;
};

/** When the event at a position was recorded; null where there is none. */
export const readEventTime = async (pool: Database, platform: PlatformId, position: number): Promise<number | null> => {
  const { rows } = await pool.query<{ at: number }>({
    name: 'grantlog.event-time',
    text: 'select (extract(epoch from recorded_at) * 1000)::float8 as at from event where platform = $1 and position = $2',
    values: [platform, position],
  });
  return rows[0]?.at ?? null;
};

/** The least id that a message of this time could have. */
const floorOf = (at: number): string => {
  const hex = Math.max(0, Math.floor(at)).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
};

/** Ids of one millisecond are in no order: so many beside the first or last are looked at as well. */
const beside = 100;

/** The position of the first message from a time on; null where there is none. */
export const firstPositionSince = async (pool: Database, platform: PlatformId, at: number): Promise<number | null> => {
  const { rows } = await pool.query<{ position: number | null }>({
    name: 'grantlog.first-position-since',
    text: `select min(position) as position from (
      select position from message where platform = $1 and id >= $2 order by id limit ${beside}) m`,
    values: [platform, floorOf(at)],
  });
  return rows[0]?.position ?? null;
};

/** The position of the last message up to a time, its millisecond included; null where there is none. */
export const lastPositionUntil = async (pool: Database, platform: PlatformId, at: number): Promise<number | null> => {
  const { rows } = await pool.query<{ position: number | null }>({
    name: 'grantlog.last-position-until',
    text: `select max(position) as position from (
      select position from message where platform = $1 and id < $2 order by id desc limit ${beside}) m`,
    values: [platform, floorOf(at + 1)],
  });
  return rows[0]?.position ?? null;
};
