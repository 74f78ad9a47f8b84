import { endOfUse, type GrantState, grantDecider } from '@grantlog/domain';
import { type EventLog, execute, fold } from '@grantlog/eventsourcing';
import { type Database, type DueGrant, listGrantsToExpire, postponeExpiry } from '@grantlog/postgres';
import { commitOn } from '@grantlog/provisioning';
import { causedByLastOf } from '../causes.ts';

const actor = { kind: 'system', id: 'expiry' } as const;
const hour = 3_600_000;

/** When to look at a grant again, milliseconds since the epoch. One that has ended is the dispatcher's to forget: it lags. */
const nextLook = (state: GrantState, now: number): number =>
  state.status === 'authorized' || state.status === 'active' ? endOfUse(state) * 1000 : now + hour;

const expireGrant = async (log: EventLog, pool: Database, grant: DueGrant): Promise<boolean> => {
  const { platform, grantId } = grant;
  const { appended, outcome } = await execute({
    log,
    platform,
    requests: [{ streamId: grantId }],
    decide: async (loaded) => {
      const stream = loaded.stream(grantId);
      const state = fold(grantDecider, stream);
      const { events } = grantDecider.decide({ type: 'expire', now: loaded.now }, state);
      const outcome = nextLook(state, loaded.now);
      if (events.length === 0) return { commit: null, outcome };
      const by = await causedByLastOf(pool, actor, { platform, stream });
      return { commit: commitOn(loaded, by, { writes: [{ streamId: grantId, events }] }), outcome };
    },
  });
  // Whether refreshed meanwhile or expired just now, it leaves the queue's head; the dispatcher deletes what has ended.
  await postponeExpiry(pool, { ...grant, expiresAt: appended === null ? outcome : Date.now() + hour });
  return appended !== null;
};

/**
 * Tells the log of grants whose tokens can no longer be used, so that agents hear of it. No decision waits for it.
 * Several processes may look at the same grant: one append wins, the other finds it ended.
 */
export const expireGrants = async (context: {
  readonly log: EventLog;
  readonly pool: Database;
  readonly limit: number;
}): Promise<number> => {
  const due = await listGrantsToExpire(context.pool, context.limit);
  const expired = await Promise.all(due.map((grant) => expireGrant(context.log, context.pool, grant)));
  return expired.filter(Boolean).length;
};
