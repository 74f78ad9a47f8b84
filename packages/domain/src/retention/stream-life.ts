import type { JsonValue } from '@grantlog/eventsourcing';
import type { AuditState } from '../audit/state.ts';
import type { GrantState } from '../grant/state.ts';
import type { Instant } from '../ids.ts';
import type { NameState } from '../name/state.ts';
import type { SessionState } from '../session/state.ts';
import type { SignInState } from '../sign-in/state.ts';

/**
 * Whether anything can come of a stream any more. `over`: no decision is another one without it. `with_its_grant`: a redeemed
 * session, which is asked about for as long as its grant lives.
 */
export type StreamLife = 'lives' | 'with_its_grant' | 'over';

const ofGrant = (state: GrantState): StreamLife => (state.status === 'ended' || state.status === 'denied' ? 'over' : 'lives');

const ofSession = (state: SessionState): StreamLife => {
  switch (state.status) {
    case 'none':
    case 'pending':
    case 'linked':
      return 'lives';
    case 'redeemed':
      return 'with_its_grant';
    case 'ended':
      return 'over';
  }
};

const ofSignIn = (state: SignInState, { now, signInSeconds }: Clock): StreamLife => {
  switch (state.status) {
    case 'none':
      return 'lives';
    case 'failed':
    case 'ended':
      return 'over';
    case 'active':
      return Math.floor(now / 1000) - state.authTime >= signInSeconds ? 'over' : 'lives';
  }
};

type Clock = {
  /** Milliseconds since the epoch. */
  readonly now: Instant;
  /** How long the platform lets a browser's sign-in stand. */
  readonly signInSeconds: number;
};

/**
 * Whether anything can come of a stream that began in a month which has ended. One-time names expire within the month that their
 * stream is of ({@link expiringNameId} in packages/crypto); what the domain does not know lives.
 *
 * @param state as the aggregate of this name folds it, of the whole stream.
 */
export const streamLife = (aggregate: string, state: JsonValue, clock: Clock): StreamLife => {
  // The name says whose state it is: the fold of that aggregate has made it.
  const folded: unknown = state;
  switch (aggregate) {
    case 'grant':
      return ofGrant(folded as GrantState);
    case 'session':
      return ofSession(folded as SessionState);
    case 'sign_in':
      return ofSignIn(folded as SignInState, clock);
    case 'name':
      return (folded as NameState).status === 'none' ? 'lives' : 'over';
    case 'audit':
      return (folded as AuditState).status === 'none' ? 'lives' : 'over';
    default:
      return 'lives';
  }
};
