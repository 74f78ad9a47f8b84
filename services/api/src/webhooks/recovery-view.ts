import type { WebhookEndpointState } from '@grantlog/domain';
import type { Recovery } from '@grantlog/postgres';
import Type, { type Static } from 'typebox';
import { instant, nullable } from '../json-api/schemas.ts';

export const recoveryView = Type.Object({
  recoveryId: Type.String(),
  state: Type.Enum(['running', 'done', 'cancelled']),
  from: Type.Integer({ description: "The first position of the platform's log that it looks at" }),
  through: nullable(Type.Integer({ description: 'The last one; null while it is about to begin' })),
  position: Type.Integer({ description: 'How far it has come' }),
  examined: Type.Integer({ description: 'Messages looked at that are within what the endpoint hears' }),
  again: Type.Integer({ description: 'Deliveries made due' }),
  ratePerSecond: Type.Integer(),
  includeDelivered: Type.Boolean(),
  requestedAt: instant,
  finishedAt: nullable(instant),
});

const viewOf = ({ id, requestedAt, finishedAt, ...recovery }: Recovery): Static<typeof recoveryView> => ({
  recoveryId: id,
  ...recovery,
  requestedAt: requestedAt.toISOString(),
  finishedAt: finishedAt?.toISOString() ?? null,
});

/** The recoveries of an endpoint as they stand, newest first: one that the log has and no worker has begun yet runs, too. */
export const viewOfRecoveries = (kept: readonly Recovery[], endpoint: WebhookEndpointState): readonly Static<typeof recoveryView>[] => {
  const asked = endpoint.status === 'active' ? endpoint.recovery : null;
  const views = kept.map(viewOf);
  if (asked === null || kept.some(({ id }) => id === asked.recoveryId)) return views;
  const { recoveryId, from, through, ratePerSecond, includeDelivered, requestedAt } = asked;
  const progress = { position: from - 1, examined: 0, again: 0, finishedAt: null } as const;
  const terms = { from, through, ratePerSecond, includeDelivered, requestedAt: new Date(requestedAt).toISOString() };
  return [{ recoveryId, state: 'running', ...terms, ...progress }, ...views];
};
