import type { Database } from './database.ts';

/** Makes the partitions of the coming months and weeks, and drops weeks whose deliveries finished long ago. */
export const maintainPartitions = async (
  pool: Database,
  options: { readonly monthsAhead: number; readonly weeksAhead: number; readonly keepDays: number },
): Promise<{ readonly months: number; readonly weeks: number; readonly dropped: number }> => {
  // One statement each: a week that cannot be dropped now must not undo the making of the next.
  const made = await pool.query<{ months: number; weeks: number }>(
    'select ensure_event_months($1) as months, ensure_delivery_weeks($2) as weeks',
    [options.monthsAhead, options.weeksAhead],
  );
  const old = await pool.query<{ dropped: number }>('select drop_delivery_weeks($1) as dropped', [options.keepDays]);
  return { months: made.rows[0]?.months ?? 0, weeks: made.rows[0]?.weeks ?? 0, dropped: old.rows[0]?.dropped ?? 0 };
};
