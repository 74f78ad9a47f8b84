import type { Database, Transaction } from './database.ts';
import type { EndpointKey } from './delivery.ts';

export type EndpointHealth = {
  readonly consecutiveFailures: number;
  readonly failingSince: Date | null;
  /** `open`: nothing is sent until `openUntil`. `probing`: one delivery goes out to see whether it answers. */
  readonly circuit: 'closed' | 'open' | 'probing';
  readonly openUntil: Date | null;
  readonly lastSuccessAt: Date | null;
  readonly lastFailureAt: Date | null;
  /** What waits for it, counted up to 1,000. */
  readonly pending: number;
  /** What waits until it has proved its URL, counted up to 1,000. */
  readonly held: number;
};

/** How an endpoint has been answering, and how much waits for it. */
export const readEndpointHealth = async (pool: Database, { platform, endpoint }: EndpointKey): Promise<EndpointHealth> => {
  const { rows } = await pool.query<EndpointHealth>(
    `select coalesce(w.consecutive_failures, 0) as "consecutiveFailures", w.failing_since as "failingSince",
       case when w.open_until is null then 'closed' when w.open_until > now() then 'open' else 'probing' end as circuit,
       case when w.open_until > now() then w.open_until end as "openUntil",
       w.last_success_at as "lastSuccessAt", w.last_failure_at as "lastFailureAt", p.pending, h.held
     from (select count(*)::int as pending from (
         select 1 from delivery where platform = $1 and endpoint = $2 and state = 'pending' limit 1000) u) p,
       (select count(*)::int as held from (
         select 1 from delivery where platform = $1 and endpoint = $2 and state = 'held' limit 1000) u) h
     left join endpoint_work w on w.platform = $1 and w.endpoint = $2`,
    [platform, endpoint],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('an endpoint health query always answers');
  return row;
};

/** Forgets how an endpoint answered: somebody enabled it again, so its five days start anew. */
export const resetHealth = async (client: Database | Transaction, endpoint: EndpointKey): Promise<void> => {
  await client.query(
    `update endpoint_work set consecutive_failures = 0, failing_since = null, open_until = null where platform = $1 and endpoint = $2`,
    [endpoint.platform, endpoint.endpoint],
  );
};
