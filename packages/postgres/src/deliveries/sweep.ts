import type { Database } from './database.ts';
import type { EndpointLane } from './delivery.ts';

/** Records claims that ran out as lost attempts and makes their deliveries due at once. Returns how many. */
export const expireClaims = async (pool: Database, limit = 1_000): Promise<number> => {
  const { rows } = await pool.query<{ lost: number }>({
    name: 'grantlog.expire-claims',
    text: `with expired as (
        select platform, id, attempt from delivery where state = 'claimed' and claimed_until < now()
        order by claimed_until limit $1 for update skip locked
      ), lost as (
        update delivery d set state = 'pending', claimed_until = null, due_at = now()
        from expired e where d.platform = e.platform and d.id = e.id
        returning d.platform, d.id, d.attempt
      ), written as (
        insert into attempt (platform, delivery, attempt, outcome, detail)
        select platform, id, attempt, 'lost', 'The sender stopped during the attempt; whether it arrived is unknown' from lost
        on conflict do nothing
      )
      select count(*)::int as lost from lost`,
    values: [limit],
  });
  return rows[0]?.lost ?? 0;
};

/**
 * Every endpoint and lane with something due and unclaimed, whose circuit is not open.
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
        select 1 from endpoint_health h where h.platform = w.platform and h.endpoint = w.endpoint and h.open_until > now()
      )
      order by w.lane`,
  });
  return rows;
};

/** Gives up what is still pending for an endpoint that is spoken to no more, a chunk at a time. Returns how many. */
export const abandonDeliveries = async (
  pool: Database,
  endpoint: Omit<EndpointLane, 'lane'> & { readonly limit?: number },
): Promise<number> => {
  const { rowCount } = await pool.query({
    name: 'grantlog.abandon-deliveries',
    text: `update delivery d set state = 'abandoned', finished_at = now()
      from (
        select platform, id from delivery where platform = $1 and endpoint = $2 and state = 'pending' limit $3 for update skip locked
      ) p
      where d.platform = p.platform and d.id = p.id`,
    values: [endpoint.platform, endpoint.endpoint, endpoint.limit ?? 2_000],
  });
  return rowCount ?? 0;
};
