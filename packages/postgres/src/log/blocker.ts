import { setTimeout as pause } from 'node:timers/promises';
import { LogUnavailable } from '@grantlog/eventsourcing';
import pg from 'pg';

/** Milliseconds between two looks at who is in the way. */
const betweenLooks = 50;

type Blocker = {
  readonly pid: number;
  readonly application_name: string | null;
  readonly state: string | null;
  readonly seconds: number | null;
};

/**
 * Those at the end of the chain: they are in the way of the session, or of others who are, and wait for nobody.
 * Postgres is asked for the wait itself, because what a session holds says little: a lock of a row stands in no list,
 * and most locks of the table are in nobody's way.
 */
const lookForBlockers = async (client: pg.Client, waiting: number): Promise<readonly Blocker[]> => {
  const { rows } = await client.query<Blocker>(
    `with recursive chain(pid, blockers) as (
       select $1::int, pg_blocking_pids($1::int)
       union
       select b.pid, pg_blocking_pids(b.pid) from chain c cross join lateral unnest(c.blockers) as b(pid)
     )
     select c.pid, a.application_name, a.state, extract(epoch from clock_timestamp() - a.xact_start)::float8 as seconds
     from chain c left join pg_stat_activity a on a.pid = c.pid
     where c.blockers = '{}' and c.pid <> $1::int
     order by seconds desc nulls last
     limit 3`,
    [waiting],
  );
  return rows;
};

const describe = ({ pid, application_name, state, seconds }: Blocker): string => {
  // Postgres says 0 of a transaction that is prepared and has no session any more.
  if (pid === 0) return 'a prepared transaction';
  // What other sessions do it hides from a role that may not see it; their process ids it always tells.
  const known = [application_name || 'unnamed', state, seconds === null ? null : `in its transaction for ${Math.round(seconds)} s`];
  return `process ${pid} (${known.filter((part) => part !== null).join(', ')})`;
};

const describeBlockers = async (pool: pg.Pool, waiting: number): Promise<string> => {
  // A connection of its own: those of the pool may all wait for the same lock.
  const client = new pg.Client(pool.options);
  client.on('error', () => {});
  await client.connect();
  try {
    const before = new Set((await lookForBlockers(client, waiting)).map(({ pid }) => pid));
    await pause(betweenLooks);
    // Whoever's own wait ends in this very instant waits for nobody either, but only once.
    const blockers = (await lookForBlockers(client, waiting)).filter(({ pid }) => before.has(pid));
    return blockers.length === 0 ? 'nobody for long' : blockers.map(describe).join(', ');
  } finally {
    // The answer need not wait for the goodbye.
    client.end().catch(() => {});
  }
};

/** The process that serves a connection; node-postgres has it from the handshake and leaves it out of its types. */
const processOf = (client: pg.PoolClient): number => (client as unknown as { readonly processID: number }).processID;

/**
 * Runs a statement of its own transaction. One that has not ended after `askAfter` milliseconds is looked at while it
 * waits: afterwards nobody can say any more what it waited for.
 *
 * @throws LogUnavailable when a lock was not had in time, naming in words the sessions that are in the way, for the
 * operator who reads the 503.
 */
export const queryNamingBlockers = async <Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  statement: pg.QueryConfig,
  askAfter: number,
): Promise<readonly Row[]> => {
  const client = await pool.connect();
  // The statement itself rejects; an error that nobody listens to would end the process.
  const onError = (): void => {};
  client.on('error', onError);
  let blockers: Promise<string> | null = null;
  const timer = setTimeout(() => {
    blockers = describeBlockers(pool, processOf(client)).catch(() => 'unknown');
  }, askAfter);
  let failure: Error | undefined;
  try {
    return (await client.query<Row>(statement)).rows;
  } catch (error) {
    failure = error as Error;
    if ((error as { readonly code?: unknown }).code !== '55P03') throw error;
    throw new LogUnavailable(`the log's lock was not had in time; held by ${(await blockers) ?? 'unknown'}`, { cause: error });
  } finally {
    clearTimeout(timer);
    client.off('error', onError);
    client.release(failure);
  }
};
