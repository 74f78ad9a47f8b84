import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Database } from './database.ts';
import type { DeliveryState } from './delivery.ts';

/** A delivery as its endpoint's owner sees it. `id` is what the receiver got as `webhook-id`. */
export type DeliverySummary = {
  readonly id: string;
  readonly type: string;
  readonly subject: StreamId;
  readonly position: number;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly createdAt: Date;
  /** When the next attempt is due; null once finished. */
  readonly dueAt: Date | null;
  readonly finishedAt: Date | null;
};

// Counted, for `attempt` also counts claims that were given back unsent.
const columns = `id, type, subject, position, state,
  (select count(*)::int from attempt a where a.platform = delivery.platform and a.delivery = delivery.id) as attempts, created_at as "createdAt",
  case when finished_at is null then due_at end as "dueAt", finished_at as "finishedAt"`;

/** Deliveries of one endpoint, newest first. `before` is the `id` of the last one seen. */
export const listDeliveries = async (
  pool: Database,
  query: {
    readonly platform: PlatformId;
    readonly endpoint: StreamId;
    readonly state?: DeliveryState;
    readonly before?: string;
    readonly limit: number;
  },
): Promise<readonly DeliverySummary[]> => {
  const { rows } = await pool.query<DeliverySummary>(
    `select ${columns} from delivery
     where platform = $1 and endpoint = $2 and ($3::text is null or state = $3) and ($4::uuid is null or id < $4)
     order by id desc limit $5`,
    [query.platform, query.endpoint, query.state ?? null, query.before ?? null, query.limit],
  );
  return rows;
};

export type AttemptSummary = {
  readonly attempt: number;
  readonly outcome: string;
  readonly status: number | null;
  readonly detail: string;
  readonly durationMs: number | null;
  readonly at: Date;
};

/** One delivery with its body and its attempts, oldest first; null when there is none of that id for that endpoint. */
export const readDelivery = async (
  pool: Database,
  query: { readonly platform: PlatformId; readonly endpoint: StreamId; readonly id: string },
): Promise<(DeliverySummary & { readonly body: string; readonly history: readonly AttemptSummary[] }) | null> => {
  const found = await pool.query<DeliverySummary & { readonly body: string }>(
    `select ${columns}, body from delivery where platform = $1 and endpoint = $2 and id = $3`,
    [query.platform, query.endpoint, query.id],
  );
  const [delivery] = found.rows;
  if (delivery === undefined) return null;
  const { rows } = await pool.query<AttemptSummary>(
    `select attempt, outcome, status, detail, duration_ms as "durationMs", at from attempt where platform = $1 and delivery = $2 order by attempt`,
    [query.platform, query.id],
  );
  return { ...delivery, history: rows };
};

/** Makes a finished delivery due once more, under the same id and with a fresh schedule. Says whether there was one. */
export const redeliver = async (
  pool: Database,
  query: { readonly platform: PlatformId; readonly endpoint: StreamId; readonly id: string },
): Promise<boolean> => {
  const { rowCount } = await pool.query(
    `update delivery set state = 'pending', lane = 1, failures = 0, due_at = now(), finished_at = null
     where platform = $1 and endpoint = $2 and id = $3 and state in ('delivered', 'failed', 'abandoned')`,
    [query.platform, query.endpoint, query.id],
  );
  return rowCount === 1;
};

export type EndpointHealth = {
  readonly consecutiveFailures: number;
  readonly failingSince: Date | null;
  readonly openUntil: Date | null;
  readonly lastSuccessAt: Date | null;
  readonly lastFailureAt: Date | null;
  readonly pending: number;
};

/** How an endpoint has been answering, and how much waits for it (counted up to 1,000). */
export const readEndpointHealth = async (
  pool: Database,
  query: { readonly platform: PlatformId; readonly endpoint: StreamId },
): Promise<EndpointHealth> => {
  const { rows } = await pool.query<EndpointHealth>(
    `select coalesce(h.consecutive_failures, 0) as "consecutiveFailures", h.failing_since as "failingSince", h.open_until as "openUntil",
       h.last_success_at as "lastSuccessAt", h.last_failure_at as "lastFailureAt", p.pending
     from (select count(*)::int as pending from (
       select 1 from delivery where platform = $1 and endpoint = $2 and state in ('pending', 'claimed') limit 1000) u) p
     left join endpoint_health h on h.platform = $1 and h.endpoint = $2`,
    [query.platform, query.endpoint],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('an endpoint health query always answers');
  return row;
};
