import type { PlatformId } from '@grantlog/eventsourcing';
import { type Database, firstRecordedAfter, latestRecorded, readHead } from '@grantlog/postgres';
import { spellFilter } from './filter.ts';

type Row = { readonly part: 'b' | 'e' | 'l' | 'h'; readonly position: number; readonly clock_ms: number };

/** The last entry up to a position and a time, and how far the index has come. */
const lastEntry = async (
  pool: Database,
  of: { readonly platform: PlatformId; readonly high: number; readonly until?: number },
): Promise<{ readonly through: number; readonly entry: Pick<Row, 'position' | 'clock_ms'> | null }> => {
  const { rows } = await pool.query<Row>({
    name: 'grantlog.audit-last',
    text: 'select part, position, clock_ms from audit_page($1, $2, 0, $3, true, 1, 1)',
    values: [of.platform, spellFilter(of.until === undefined ? {} : { until: of.until }), of.high],
  });
  return {
    through: rows.find(({ part }) => part === 'b')?.position ?? 0,
    entry: rows.find(({ part }) => part === 'e' || part === 'l') ?? null,
  };
};

/**
 * The last position whose clock had not passed an instant, in milliseconds since the epoch; 0 where there was none yet. Exact also
 * where the index has not come that far: the rest is read from the log.
 */
export const positionAt = async (pool: Database, query: { readonly platform: PlatformId; readonly time: number }): Promise<number> => {
  const { platform, time } = query;
  const head = await readHead(pool, platform);
  const { through, entry } = await lastEntry(pool, { platform, high: Number.MAX_SAFE_INTEGER, until: time });
  const found = entry?.position ?? 0;
  if (found < through) return found;
  // The clock is the latest time so far, so it passes the instant with the first event that does.
  const passed = await firstRecordedAfter(pool, { platform, after: through, through: head, instant: time });
  return passed === null ? Math.max(head, through) : passed - 1;
};

/** The clock of a position, in milliseconds since the epoch; null where no event stands. Exact also where the index has not come that far. */
export const clockAt = async (
  pool: Database,
  query: { readonly platform: PlatformId; readonly position: number },
): Promise<number | null> => {
  const { platform, position } = query;
  const head = await readHead(pool, platform);
  if (position < 1 || position > head) return null;
  const { through, entry } = await lastEntry(pool, { platform, high: position });
  if (position <= through) return entry?.position === position ? entry.clock_ms : null;
  const later = await latestRecorded(pool, { platform, after: through, through: position });
  return Math.max(later ?? Number.NEGATIVE_INFINITY, entry?.clock_ms ?? Number.NEGATIVE_INFINITY);
};
