import type { AccountId, ClientStreamId, SessionId, SessionRevocation, SessionState } from '@grantlog/domain';
import { grantDecider, sessionDecider } from '@grantlog/domain';
import type { NewEvent, PlatformId, StreamId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { readFirstEvents } from '@grantlog/postgres';
import type { Changed } from './change.ts';
import { change } from './change.ts';
import type { By, Provisioning } from './provisioning.ts';
import { sessionGrant } from './session-grant.ts';

/** Which session is to end, and by whose hand: whoever is named must be the session's own. */
export type SessionToRevoke = {
  readonly platform: PlatformId;
  readonly session: SessionId;
  readonly reason: SessionRevocation;
  /** Set by whoever acts for a person: a session that is not linked to this account is `unknown_session`. */
  readonly account?: AccountId;
  /** Set by whoever acts for a client: a session that another client began is `unknown_session`. */
  readonly client?: ClientStreamId;
};

/** Whether a stream is a session's. Grants and sign-ins have ids of the same shape; only the first event tells. */
export const isSession = async (
  context: Pick<Provisioning, 'pool'>,
  of: { readonly platform: PlatformId; readonly id: SessionId },
): Promise<boolean> => {
  const first = (await readFirstEvents(context.pool, { platform: of.platform, streamIds: [of.id] })).get(of.id);
  return first?.type === 'session.started';
};

const accountOf = (state: SessionState): AccountId | null => (state.status === 'none' || state.status === 'pending' ? null : state.account);

const belongs = (state: SessionState, { account, client }: SessionToRevoke): boolean =>
  state.status !== 'none' &&
  (account === undefined || accountOf(state) === account) &&
  (client === undefined || state.terms.client === client);

/**
 * Ends a session and all tokens of its grant, in one commit; what the agent and its webhooks are told follows from it.
 * One that has ended stays as it ended, but nothing of its grant is left living. Asking twice records nothing.
 */
export const revokeSession = async (
  context: Provisioning,
  by: By,
  of: SessionToRevoke,
): Promise<Changed<'unknown_platform' | 'unknown_session'>> => {
  const { platform, session, reason } = of;
  if ((await context.directory.open(platform)) === null) return { refusal: 'unknown_platform' };
  if (!(await isSession(context, { platform, id: session }))) return { refusal: 'unknown_session' };
  const grant = sessionGrant(session);
  // An operator's stream is of another platform; the actor of the commit names it.
  const hand: StreamId | null = of.account ?? of.client ?? null;
  return change<'unknown_platform' | 'unknown_session'>(context, by, {
    platform,
    requests: [{ streamId: session }, { streamId: grant }],
    decide: (loaded) => {
      const state = fold(sessionDecider, loaded.stream(session));
      if (!belongs(state, of)) return { refusal: 'unknown_session' };
      const ended = sessionDecider.decide({ type: 'revoke', reason, by: hand }, state);
      if (ended.refusal !== undefined) throw new Error(`the revocation of a session was refused with ${ended.refusal}`);
      const granted = fold(grantDecider, loaded.stream(grant));
      const lives = granted.status === 'authorized' || granted.status === 'active';
      const tokens: readonly NewEvent[] = lives ? grantDecider.decide({ type: 'revoke', reason, by: hand }, granted).events : [];
      return {
        writes: [
          { streamId: session, events: ended.events },
          { streamId: grant, events: tokens },
        ],
        // Decided on both: whoever links, redeems or refreshes meanwhile is decided about anew.
        reads: [grant, session],
      };
    },
  });
};
