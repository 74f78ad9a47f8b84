import type { StreamId } from '@grantlog/eventsourcing';
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
  /** The message's. */
  readonly trace: string | null;
};

/** Of `d`, which is either of {@link sources}, and its message `m`. */
export const summaryColumns = `d.id, d.endpoint, m.type, m.subject, d.position, d.state, d.attempt as attempts, d.created_at as "createdAt",
  d.due_at as "dueAt", d.finished_at as "finishedAt", m.trace`;

/** What is still to be delivered and what is done, alike. */
export const sources = {
  due: `select platform, endpoint, id, position, state, attempt, created_at, case when state = 'pending' then due_at end as due_at,
      null::timestamptz as finished_at from delivery`,
  done: `select platform, endpoint, id, position, state, attempt, created_at, null::timestamptz as due_at, finished_at from delivery_done`,
} as const;
