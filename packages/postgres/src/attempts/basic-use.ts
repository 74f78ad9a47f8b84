import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Pool } from 'pg';
import { counted } from './counted.ts';

/** What an account has used of HTTP Basic, this request included. Milliseconds since the epoch. */
export type BasicUse = {
  readonly outcome: 'counted' | 'days_over' | 'day_full';
  /** When the first request came. */
  readonly firstUsedAt: number;
  /** Of the day, in UTC; refused ones are not counted. */
  readonly requests: number;
  /** When the last day ends. */
  readonly endsAt: number;
};

const day = 86_400_000;

/**
 * Counts one request of an account against its day and its days, and decides by what it counted: one statement under the
 * row's lock, so that any number of nodes let exactly the rest of the limit through.
 *
 * @param use.now milliseconds since the epoch by the database's clock; days are UTC's.
 * @throws LogUnavailable when it cannot be counted: nobody is let through then.
 */
export const countBasicUse = async (
  pool: Pool,
  use: {
    readonly platform: PlatformId;
    readonly account: StreamId;
    readonly now: number;
    readonly days: number;
    readonly requestsPerDay: number;
  },
): Promise<BasicUse> => {
  const { rows } = await counted(() =>
    pool.query<{ first: Date; requests: number }>({
      name: 'grantlog.count-basic-use',
      // A refused request stays one above the limit, however many come. A day never goes back: nodes read the clock at
      // slightly different times around midnight.
      text: `insert into basic_use as u (platform, account, first_used_at, day, requests)
        values ($1, $2, $3, ($3::timestamptz at time zone 'utc')::date, 1)
        on conflict (platform, account) do update set
          day = greatest(u.day, excluded.day),
          requests = case when excluded.day > u.day then 1 else least(u.requests, $4) + 1 end
        returning u.first_used_at as first, u.requests`,
      values: [use.platform, use.account, new Date(use.now), use.requestsPerDay],
    }),
  );
  const [row] = rows;
  if (row === undefined) throw new Error('an upsert returns its row');
  const firstUsedAt = row.first.getTime();
  const endsAt = firstUsedAt + use.days * day;
  const requests = Math.min(row.requests, use.requestsPerDay);
  const outcome = use.now >= endsAt ? 'days_over' : row.requests > use.requestsPerDay ? 'day_full' : 'counted';
  return { outcome, firstUsedAt, requests, endsAt };
};

/** Forgets what an account has used, so that its days begin with its next request. False when it had used nothing. */
export const resetBasicUse = async (pool: Pool, of: { readonly platform: PlatformId; readonly account: StreamId }): Promise<boolean> => {
  const { rowCount } = await pool.query('delete from basic_use where platform = $1 and account = $2', [of.platform, of.account]);
  return (rowCount ?? 0) > 0;
};
