import { type SessionState, sessionDecider } from '@grantlog/domain';
import { type EventLog, execute, fold } from '@grantlog/eventsourcing';
import { type Database, type DueSession, listSessionsToExpire, postponeSession } from '@grantlog/postgres';
import { commitOn } from '@grantlog/provisioning';
import { causedByLastOf } from '../causes.ts';

const actor = { kind: 'system', id: 'expiry' } as const;
const hour = 3_600_000;

/** When to look at a session again, milliseconds since the epoch. One that is settled is the dispatcher's to forget: it lags. */
const nextLook = (state: SessionState, now: number): number =>
  state.status === 'pending' || state.status === 'linked' ? state.terms.expiresAt * 1000 : now + hour;

const expireSession = async (log: EventLog, pool: Database, session: DueSession): Promise<boolean> => {
  const { platform, sessionId } = session;
  const { appended, outcome } = await execute({
    log,
    platform,
    requests: [{ streamId: sessionId }],
    decide: async (loaded) => {
      const stream = loaded.stream(sessionId);
      const state = fold(sessionDecider, stream);
      const { events } = sessionDecider.decide({ type: 'expire', now: loaded.now }, state);
      const outcome = nextLook(state, loaded.now);
      if (events.length === 0) return { commit: null, outcome };
      const by = await causedByLastOf(pool, actor, { platform, stream });
      return { commit: commitOn(loaded, by, { writes: [{ streamId: sessionId, events }] }), outcome };
    },
  });
  await postponeSession(pool, { ...session, expiresAt: appended === null ? outcome : Date.now() + hour });
  return appended !== null;
};

/**
 * Tells the log of sessions that nobody answered, or no agent redeemed, in their time, so that agents hear of it. No
 * decision waits for it. Several processes may look at the same session: one append wins, the other finds it ended.
 */
export const expireSessions = async (context: {
  readonly log: EventLog;
  readonly pool: Database;
  readonly limit: number;
}): Promise<number> => {
  const due = await listSessionsToExpire(context.pool, context.limit);
  const expired = await Promise.all(due.map((session) => expireSession(context.log, context.pool, session)));
  return expired.filter(Boolean).length;
};
