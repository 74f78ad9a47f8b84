import type { PlatformId } from '@grantlog/eventsourcing';
import type { Pool } from 'pg';
import { counted } from './counted.ts';

/** How much a bucket holds, and how many seconds it takes for one to drain. */
type BucketSize = { readonly capacity: number; readonly secondsEach: number };

/** A leaky bucket that an attempt takes one from. */
export type AttemptBucket = BucketSize & {
  /** A MAC of what is counted; the table names nobody. */
  readonly key: Uint8Array;
  /** What holds instead while the gauge is above its limit. */
  readonly strict?: BucketSize;
};

/** What an attempt takes from: its buckets, and the counters of its account for this clock hour and the last. */
export type AttemptBudget = {
  readonly buckets: readonly AttemptBucket[];
  readonly gauge: { readonly thisHour: Uint8Array; readonly lastHour: Uint8Array; readonly limit: number } | null;
};

/**
 * Takes one from every bucket or from none, in one statement, so that parallel attempts on any number of nodes never
 * exceed what fits.
 *
 * @param now milliseconds since the epoch by the database's clock.
 * @returns 0, or the seconds until one would fit.
 * @throws LogUnavailable when the buckets cannot be read: nobody is let through then.
 */
export const takeAttempt = async (pool: Pool, platform: PlatformId, budget: AttemptBudget, now: number): Promise<number> => {
  const { buckets, gauge } = budget;
  const strict = buckets.map((bucket) => bucket.strict ?? bucket);
  const { rows } = await counted(() =>
    pool.query<{ wait: number }>({
      name: 'grantlog.take-attempt',
      text: 'select take_attempt($1, $2, $3, $4, $5, $6, $7, $8, $9) as wait',
      values: [
        platform,
        new Date(now),
        buckets.map(({ key }) => Buffer.from(key)),
        buckets.map(({ capacity }) => capacity),
        buckets.map(({ secondsEach }) => 1 / secondsEach),
        strict.map(({ capacity }) => capacity),
        strict.map(({ secondsEach }) => 1 / secondsEach),
        gauge === null ? [] : [Buffer.from(gauge.thisHour), Buffer.from(gauge.lastHour)],
        gauge?.limit ?? 0,
      ],
    }),
  );
  const [row] = rows;
  if (row === undefined) throw new Error('take_attempt answers one row');
  return row.wait;
};

/** Gives back what {@link takeAttempt} took, for an attempt that turned out right. @throws LogUnavailable */
export const giveBackAttempt = async (pool: Pool, platform: PlatformId, { buckets, gauge }: AttemptBudget): Promise<void> => {
  await counted(() =>
    pool.query({
      name: 'grantlog.give-back-attempt',
      text: 'select give_back_attempt($1, $2, $3)',
      values: [platform, buckets.map(({ key }) => Buffer.from(key)), gauge === null ? null : Buffer.from(gauge.thisHour)],
    }),
  );
};

/** Deletes buckets that have drained, at most 50,000, by the database's clock. Returns how many. */
export const deleteIdleAttemptBuckets = async (pool: Pool): Promise<number> => {
  const { rows } = await pool.query<{ gone: number }>('select delete_idle_attempt_buckets(now()) as gone');
  return rows[0]?.gone ?? 0;
};
