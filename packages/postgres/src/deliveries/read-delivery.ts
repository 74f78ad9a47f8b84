import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Database } from './database.ts';
import { type DeliverySummary, sources, summaryColumns } from './delivery-summary.ts';
import type { AttemptOutcome } from './record-attempts.ts';

type AttemptSummary = {
  /** From 1. */
  readonly attempt: number;
  readonly outcome: AttemptOutcome | 'lost';
  readonly status: number | null;
  readonly detail: string;
  readonly durationMs: number | null;
  /** The beginning of what the receiver answered. */
  readonly response: string | null;
  readonly beganAt: Date;
};

export type DeliveryDetail = DeliverySummary & { readonly body: string; readonly history: readonly AttemptSummary[] };

/** One delivery with its body and its attempts, oldest first; null when there is none of that id for that endpoint. */
export const readDelivery = async (
  pool: Database,
  query: { readonly platform: PlatformId; readonly endpoint: StreamId; readonly id: string },
): Promise<DeliveryDetail | null> => {
  const values = [query.platform, query.endpoint, query.id];
  const one = 'where platform = $1 and endpoint = $2 and id = $3';
  const [found, attempts] = await Promise.all([
    pool.query<DeliverySummary & { readonly body: string }>(
      `select ${summaryColumns}, m.body from (${sources.due} ${one} union all ${sources.done} ${one}) d
       join message m on m.platform = d.platform and m.id = d.id`,
      values,
    ),
    pool.query<AttemptSummary>(
      `select attempt, outcome, status, detail, duration_ms as "durationMs", response, began_at as "beganAt" from attempt ${one} order by attempt`,
      values,
    ),
  ]);
  const [delivery] = found.rows;
  return delivery === undefined ? null : { ...delivery, history: attempts.rows };
};
