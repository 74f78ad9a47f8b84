import type { Database, Transaction } from './database.ts';
import type { EndpointKey, EndpointLane } from './delivery.ts';

/**
 * Every endpoint and lane with something due that nobody serves, whose circuit is not open.
 *
 * A skip scan: it visits one index entry for each endpoint and lane that has pending work at all, so neither a long
 * backlog of one endpoint nor a large number of idle endpoints makes it slow.
 */
export const listDueLanes = async (pool: Database): Promise<readonly EndpointLane[]> => {
  const { rows } = await pool.query<EndpointLane>({
    name: 'grantlog.due-lanes',
    text: `with recursive work as (
        (select platform, endpoint, lane from delivery where state = 'pending' order by platform, endpoint, lane limit 1)
        union all
        select n.platform, n.endpoint, n.lane from work w cross join lateral (
          select d.platform, d.endpoint, d.lane from delivery d
          where d.state = 'pending' and (d.platform, d.endpoint, d.lane) > (w.platform, w.endpoint, w.lane)
          order by d.platform, d.endpoint, d.lane limit 1
        ) n
      )
      select w.platform, w.endpoint, w.lane from work w
      cross join lateral (
        select 1 from delivery d
        where d.state = 'pending' and d.platform = w.platform and d.endpoint = w.endpoint and d.lane = w.lane and d.due_at <= now()
        order by d.due_at limit 1
      ) due
      where not exists (
        select 1 from endpoint_work h where h.platform = w.platform and h.endpoint = w.endpoint and (h.open_until > now() or h.held_until > now())
      )
      order by w.lane`,
  });
  return rows;
};

/** Gives up what is unfinished for an endpoint that is spoken to no more, a chunk at a time. Returns how many. */
export const abandonDeliveries = async (
  pool: Database | Transaction,
  endpoint: EndpointKey & { readonly limit?: number },
): Promise<number> => {
  const { rowCount } = await pool.query({
    name: 'grantlog.abandon-deliveries',
    text: `with left_over as (
        delete from delivery where (platform, id, endpoint) in (
          select platform, id, endpoint from delivery where platform = $1 and endpoint = $2 limit $3 for update skip locked)
        returning *
      )
      insert into delivery_done (platform, endpoint, id, lane, position, proves, state, attempt, created_at)
      select platform, endpoint, id, lane, position, proves, 'abandoned', attempt, created_at from left_over`,
    values: [endpoint.platform, endpoint.endpoint, endpoint.limit ?? 2_000],
  });
  return rowCount ?? 0;
};

/** Makes due what waited for an endpoint to prove its URL. Returns whether there was anything. */
export const releaseHeld = async (client: Transaction, { platform, endpoint }: EndpointKey): Promise<boolean> => {
  const { rowCount } = await client.query({
    name: 'grantlog.release-held',
    text: `update delivery set state = 'pending', due_at = now() where platform = $1 and endpoint = $2 and state = 'held'`,
    values: [platform, endpoint],
  });
  return (rowCount ?? 0) > 0;
};

/** Holds back what waits for an endpoint that has to prove another URL. */
export const holdPending = async (client: Transaction, { platform, endpoint }: EndpointKey): Promise<void> => {
  await client.query({
    name: 'grantlog.hold-pending',
    text: `update delivery set state = 'held' where platform = $1 and endpoint = $2 and state = 'pending' and not proves`,
    values: [platform, endpoint],
  });
};
