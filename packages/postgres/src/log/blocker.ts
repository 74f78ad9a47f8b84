import type pg from 'pg';

/**
 * Says in words which sessions hold a lock that an append waits for, for the operator who reads the 503.
 * Postgres hides what other sessions do from a role that may not see it; their process ids it always tells.
 *
 * The table itself is not read: whoever holds all of it would block this question, too.
 */
export const describeBlocker = async (pool: pg.Pool): Promise<string> => {
  const { rows } = await pool.query<{ pid: number; application_name: string | null; state: string | null; seconds: number | null }>(
    `select distinct a.pid, a.application_name, a.state, extract(epoch from clock_timestamp() - a.xact_start)::float8 as seconds
     from pg_locks l join pg_stat_activity a on a.pid = l.pid
     where l.relation = 'grantlog.log'::regclass and l.database = (select oid from pg_database where datname = current_database())
       and l.granted and l.mode <> 'AccessShareLock' and l.pid <> pg_backend_pid()
       -- Whoever waits for a lock is a victim like the caller.
       and not exists (select 1 from pg_locks w where w.pid = l.pid and not w.granted)
     order by seconds desc nulls last
     limit 3`,
  );
  if (rows.length === 0) return 'nobody any more';
  return rows
    .map(({ pid, application_name, state, seconds }) => {
      const known = [application_name || 'unnamed', state, seconds === null ? null : `in its transaction for ${Math.round(seconds)} s`];
      return `process ${pid} (${known.filter((part) => part !== null).join(', ')})`;
    })
    .join(', ');
};
