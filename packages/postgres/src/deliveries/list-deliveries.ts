import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Database } from './database.ts';
import type { DeliveryState } from './delivery.ts';

/** A delivery as its endpoint's owner sees it. `id` is what the receiver got as `webhook-id`. */
export type DeliverySummary = {
  readonly id: string;
  readonly endpoint: StreamId;
  readonly type: string;
  readonly subject: StreamId;
  readonly position: number;
  readonly state: DeliveryState;
  /** Attempts so far, lost ones included. */
  readonly attempts: number;
  readonly createdAt: Date;
  /** When the next attempt is due; null once finished, and while the endpoint has to prove its URL. */
  readonly dueAt: Date | null;
  readonly finishedAt: Date | null;
};

/** Finished or not, by whatever is given as `where`. */
const both = (where: string): string => `(
    select platform, endpoint, id, position, state, attempt, created_at, case when state = 'pending' then due_at end as due_at,
      null::timestamptz as finished_at
    from delivery where ${where}
    union all
    select platform, endpoint, id, position, state, attempt, created_at, null, finished_at from delivery_done where ${where}
  ) d join message m on m.platform = d.platform and m.id = d.id`;

const columns = `d.id, d.endpoint, m.type, m.subject, d.position, d.state, d.attempt as attempts, d.created_at as "createdAt",
  d.due_at as "dueAt", d.finished_at as "finishedAt"`;

/**
 * Deliveries of a platform, newest first, of one endpoint, of one message (`webhook-id`) or about one subject. One of the
 * three is to be given; `before` is where the page before ended.
 */
export const listDeliveries = async (
  pool: Database,
  query: {
    readonly platform: PlatformId;
    readonly endpoint?: StreamId;
    readonly id?: string;
    readonly subject?: StreamId;
    readonly state?: DeliveryState;
    readonly type?: string;
    readonly before?: { readonly id: string; readonly endpoint: StreamId };
    readonly limit: number;
  },
): Promise<readonly DeliverySummary[]> => {
  const { platform, endpoint, id, subject, state, type, before, limit } = query;
  const { rows } = await pool.query<DeliverySummary>(
    `select ${columns} from ${both(`platform = $1 and ($2::uuid is null or endpoint = $2) and ($3::uuid is null or id = $3)
       and ($4::uuid is null or id in (select s.id from message s where s.platform = $1 and s.subject = $4))
       and ($5::text is null or state = $5) and ($7::uuid is null or (id, endpoint) < ($7, $8))`)}
     where $6::text is null or m.type = $6
     order by d.id desc, d.endpoint desc limit $9`,
    [
      platform,
      endpoint ?? null,
      id ?? null,
      subject ?? null,
      state ?? null,
      type ?? null,
      before?.id ?? null,
      before?.endpoint ?? null,
      limit,
    ],
  );
  return rows;
};

export type AttemptSummary = {
  readonly attempt: number;
  readonly outcome: string;
  readonly status: number | null;
  readonly detail: string;
  readonly durationMs: number | null;
  /** The beginning of what the receiver answered. */
  readonly response: string | null;
  readonly beganAt: Date;
};

/** One delivery with its body and its attempts, oldest first; null when there is none of that id for that endpoint. */
export const readDelivery = async (
  pool: Database,
  query: { readonly platform: PlatformId; readonly endpoint: StreamId; readonly id: string },
): Promise<(DeliverySummary & { readonly body: string; readonly history: readonly AttemptSummary[] }) | null> => {
  const values = [query.platform, query.endpoint, query.id];
  const found = await pool.query<DeliverySummary & { readonly body: string }>(
    `select ${columns}, m.body from ${both('platform = $1 and endpoint = $2 and id = $3')}`,
    values,
  );
  const [delivery] = found.rows;
  if (delivery === undefined) return null;
  const { rows } = await pool.query<AttemptSummary>(
    `select attempt, outcome, status, detail, duration_ms as "durationMs", response, began_at as "beganAt" from attempt
     where platform = $1 and endpoint = $2 and id = $3 order by attempt`,
    values,
  );
  return { ...delivery, history: rows };
};

/** Makes a finished delivery due once more, under the same id and with a fresh schedule. Says whether there was one. */
export const redeliver = async (
  pool: Database,
  query: { readonly platform: PlatformId; readonly endpoint: StreamId; readonly id: string },
): Promise<boolean> => {
  const { rows } = await pool.query<{ again: number }>('select redeliver($1, $2, array[$3::uuid]) as again', [
    query.platform,
    query.endpoint,
    query.id,
  ]);
  return rows[0]?.again === 1;
};

export type EndpointHealth = {
  readonly consecutiveFailures: number;
  readonly failingSince: Date | null;
  /** Nothing is sent until then. */
  readonly openUntil: Date | null;
  readonly lastSuccessAt: Date | null;
  readonly lastFailureAt: Date | null;
  /** What waits for it, counted up to 1,000. */
  readonly pending: number;
  /** What waits until it has proved its URL, counted up to 1,000. */
  readonly held: number;
};

/** How an endpoint has been answering, and how much waits for it. */
export const readEndpointHealth = async (
  pool: Database,
  query: { readonly platform: PlatformId; readonly endpoint: StreamId },
): Promise<EndpointHealth> => {
  const { rows } = await pool.query<EndpointHealth>(
    `select coalesce(w.consecutive_failures, 0) as "consecutiveFailures", w.failing_since as "failingSince",
       case when w.open_until > now() then w.open_until end as "openUntil",
       w.last_success_at as "lastSuccessAt", w.last_failure_at as "lastFailureAt", p.pending, h.held
     from (select count(*)::int as pending from (
         select 1 from delivery where platform = $1 and endpoint = $2 and state = 'pending' limit 1000) u) p,
       (select count(*)::int as held from (
         select 1 from delivery where platform = $1 and endpoint = $2 and state = 'held' limit 1000) u) h
     left join endpoint_work w on w.platform = $1 and w.endpoint = $2`,
    [query.platform, query.endpoint],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('an endpoint health query always answers');
  return row;
};
