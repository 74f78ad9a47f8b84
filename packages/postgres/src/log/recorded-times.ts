import type { PlatformId } from '@grantlog/eventsourcing';
import type { Database } from '../deliveries/database.ts';

/** Events looked at in one statement, so that none outlasts its reply. */
const chunk = 50_000;

type Range = {
  readonly platform: PlatformId;
  /** Exclusive. */
  readonly after: number;
  readonly through: number;
};

const readChunk = async <Row extends object>(
  pool: Database,
  query: { readonly name: string; readonly text: string },
  values: readonly unknown[],
): Promise<Row | undefined> => (await pool.query<Row>({ ...query, values: [...values] })).rows[0];

/** The position of the first event of a range that was recorded after an instant, in milliseconds since the epoch; null where none was. */
export const firstRecordedAfter = async (pool: Database, range: Range & { readonly instant: number }): Promise<number | null> => {
  for (let after = range.after; after < range.through; after += chunk) {
    const found = await readChunk<{ position: number }>(
      pool,
      {
        name: 'grantlog.first-recorded-after',
        text: `select position from event where platform = $1 and position > $2 and position <= $3
          and recorded_at > 'epoch'::timestamptz + $4::float8 * interval '1 microsecond' order by position limit 1`,
      },
      [range.platform, after, Math.min(after + chunk, range.through), Math.round(range.instant * 1000)],
    );
    if (found !== undefined) return found.position;
  }
  return null;
};

/** The latest time at which an event of a range was recorded, in milliseconds since the epoch; null where the range is empty. */
export const latestRecorded = async (pool: Database, range: Range): Promise<number | null> => {
  let latest: number | null = null;
  for (let after = range.after; after < range.through; after += chunk) {
    const found = await readChunk<{ at: number | null }>(
      pool,
      {
        name: 'grantlog.latest-recorded',
        text: `select (extract(epoch from max(recorded_at)) * 1000)::float8 as at from event
          where platform = $1 and position > $2 and position <= $3`,
      },
      [range.platform, after, Math.min(after + chunk, range.through)],
    );
    const at = found?.at ?? null;
    if (at !== null && (latest === null || at > latest)) latest = at;
  }
  return latest;
};
