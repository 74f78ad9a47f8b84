import type { PlatformId } from '@grantlog/eventsourcing';
import type pg from 'pg';

export type Claim = { readonly name: string; readonly platform: PlatformId; readonly position: number };

/** Makes a checkpoint at 0 for every subscription on every platform that lacks one. Says how many it made. */
export const ensureSubscriptions = async (client: pg.Pool | pg.ClientBase, names: readonly string[]): Promise<number> => {
  const { rowCount } = await client.query({
    name: 'grantlog.ensure-subscriptions',
    text: `insert into subscription (name, platform)
      select n, l.platform from unnest($1::text[]) as n cross join log l
      where not exists (select 1 from subscription s where s.name = n and s.platform = l.platform)
      on conflict do nothing`,
    values: [names],
  });
  return rowCount ?? 0;
};

/**
 * Claims one checkpoint that is behind its log and that nobody else works on, for the length of the transaction.
 * Any number of workers share the work with no leader. The one furthest behind comes first.
 */
export const claimSubscription = async (client: pg.PoolClient, names: readonly string[]): Promise<Claim | null> => {
  const { rows } = await client.query<Claim>({
    name: 'grantlog.claim-subscription',
    text: `select s.name, s.platform, s.position from subscription s
      where s.name = any($1) and (s.retry_at is null or s.retry_at <= clock_timestamp())
        and s.position < (select e.position from event e where e.platform = s.platform order by e.position desc limit 1)
      order by s.position limit 1
      for update of s skip locked`,
    values: [names],
  });
  return rows[0] ?? null;
};

/** Moves a claimed checkpoint; fails, and the transaction with it, where it has moved under its claim. */
export const moveCheckpoint = async (client: pg.PoolClient, claim: Claim, position: number): Promise<void> => {
  await client.query({
    name: 'grantlog.move-checkpoint',
    // A division by nothing is what fails without a further round trip.
    text: `with moved as (
        update subscription set position = $3, failing_position = null, failing_since = null, failure = null, retry_at = null
        where name = $1 and platform = $2 and position = $4 returning 1
      )
      select 1 / (select count(*) from moved)`,
    values: [claim.name, claim.platform, position, claim.position],
  });
};

/** Notes that a subscription cannot go on from where it stands; it is tried again, later each time, and never skips. */
export const recordFailure = async (pool: pg.Pool, claim: Claim, failure: string): Promise<void> => {
  await pool.query(
    `update subscription set failing_position = position + 1, failing_since = coalesce(failing_since, clock_timestamp()), failure = $3,
       retry_at = clock_timestamp() + least(interval '30 seconds', interval '1 second' + (clock_timestamp() - coalesce(failing_since, clock_timestamp())) / 2)
     where name = $1 and platform = $2 and position = $4`,
    [claim.name, claim.platform, failure.slice(0, 2_000), claim.position],
  );
};
