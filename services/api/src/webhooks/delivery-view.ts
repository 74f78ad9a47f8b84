import { parseStreamId } from '@grantlog/domain';
import type { DeliveryCursor, DeliveryDetail, DeliverySummary } from '@grantlog/postgres';
import { recordedTrace } from '@grantlog/runtime';
import Type, { type Static } from 'typebox';
import { instant, nullable } from '../json-api/schemas.ts';
import { invalidContents } from '../json-api/validate.ts';

export const deliveryStatus = Type.Enum(['held', 'pending', 'delivered', 'failed', 'stopped', 'superseded', 'abandoned'], {
  description:
    'held until the URL is verified; failed after the last attempt; stopped by its receiver; superseded by a later message; ' +
    'abandoned with its endpoint',
});

const summary = {
  id: Type.String({ description: 'The webhook-id, the same for every endpoint that hears of the event' }),
  endpointId: Type.String(),
  type: Type.String(),
  subject: Type.String({ description: 'What the event is about: a grant, a session, an account, a client, an endpoint' }),
  position: Type.Integer({ description: "The event's position in the platform's log" }),
  status: deliveryStatus,
  attempts: Type.Integer(),
  createdAt: instant,
  dueAt: nullable(Type.String({ description: 'When the next attempt is due; null where none is' })),
  finishedAt: nullable(instant),
  traceId: Type.String({
    pattern: '^[0-9a-f]{32}$',
    description: 'The trace of the request that caused the event: `traceId` of its lines in the log, and in `traceparent` of every attempt',
  }),
};

export const deliveryView = Type.Object(summary);

export const deliveryDetailView = Type.Object({
  ...summary,
  body: Type.String({ description: 'What is sent, without what the endpoint wants repeated' }),
  history: Type.Array(
    Type.Object({
      attempt: Type.Integer({ minimum: 1 }),
      beganAt: instant,
      durationMs: nullable(Type.Integer()),
      outcome: Type.Enum(['delivered', 'rejected', 'gone', 'stopped', 'unreachable', 'refused', 'lost']),
      status: nullable(Type.Integer({ description: 'What HTTP status the receiver answered with' })),
      reason: Type.String({ description: 'How it ended, in words' }),
      response: nullable(Type.String({ description: 'What the receiver answered: its first 4 KiB' })),
    }),
    { description: 'The attempts, oldest first' },
  ),
});

const iso = (time: Date | null): string | null => time?.toISOString() ?? null;

export const viewOfDelivery = (delivery: DeliverySummary): Static<typeof deliveryView> => ({
  id: delivery.id,
  endpointId: delivery.endpoint,
  type: delivery.type,
  subject: delivery.subject,
  position: delivery.position,
  status: delivery.state,
  attempts: delivery.attempts,
  createdAt: delivery.createdAt.toISOString(),
  dueAt: iso(delivery.dueAt),
  finishedAt: iso(delivery.finishedAt),
  traceId: recordedTrace({ traceparent: delivery.trace, id: delivery.id }).traceId,
});

export const viewOfDeliveryDetail = (delivery: DeliveryDetail): Static<typeof deliveryDetailView> => ({
  ...viewOfDelivery(delivery),
  body: delivery.body,
  history: delivery.history.map(({ attempt, beganAt, durationMs, outcome, status, detail, response }) => ({
    attempt,
    beganAt: beganAt.toISOString(),
    durationMs,
    outcome,
    status,
    reason: detail,
    response,
  })),
});

/** Where a page ended, as text that says nothing to whoever reads it. */
export const spellCursor = (cursor: DeliveryCursor | null): string | null =>
  cursor === null ? null : Buffer.from(`${cursor.id} ${cursor.endpoint}`).toString('base64url');

/** @throws ProblemError 400 for what no page ever ended with. */
export const parseCursor = (text: string): DeliveryCursor => {
  const [id, endpoint, ...more] = Buffer.from(text, 'base64url').toString().split(' ').map(parseStreamId);
  if (id == null || endpoint == null || more.length > 0)
    throw invalidContents('query', [{ path: 'before', problem: 'is not where a page ended', fix: 'Send next of the page before.' }]);
  return { id, endpoint };
};
