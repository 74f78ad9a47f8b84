import type { Standing } from '../access/standing.ts';
import { endOfUse } from '../grant/decider.ts';
import type { GrantState } from '../grant/state.ts';
import type { Instant } from '../ids.ts';
import type { SessionState } from './state.ts';

/** What an agent is told of its session. */
export type SessionStatus = 'pending' | 'complete' | 'denied' | 'expired' | 'revoked';

const ofGrant = (grant: GrantState, now: Instant): SessionStatus => {
  switch (grant.status) {
    // A link commits session and grant together: without the grant there is nothing to use.
    case 'none':
    case 'denied':
      return 'revoked';
    case 'ended':
      return grant.reason === 'expired' ? 'expired' : 'revoked';
    case 'authorized':
    case 'active':
      return now >= endOfUse(grant) * 1000 ? 'expired' : 'complete';
  }
};

/**
 * The status of a session with its grant, both of one load; null for a session that never began.
 *
 * @param facts.standing of the grant's client, account and platform. A suspension reads as `revoked`: nothing works.
 */
export const sessionStatus = (facts: {
  readonly session: SessionState;
  readonly grant: GrantState;
  readonly standing: Standing;
  readonly now: Instant;
}): SessionStatus | null => {
  const { session, grant, standing, now } = facts;
  switch (session.status) {
    case 'none':
      return null;
    case 'ended':
      switch (session.reason) {
        case 'by_account':
        case 'wrong_number':
          return 'denied';
        case 'expired':
          return 'expired';
        case 'revoked':
          return 'revoked';
      }
      break;
    case 'pending':
      if (now >= session.terms.expiresAt * 1000) return 'expired';
      return standing === 'good' ? 'pending' : 'revoked';
    case 'linked':
    case 'redeemed':
      return standing === 'good' ? ofGrant(grant, now) : 'revoked';
  }
};
