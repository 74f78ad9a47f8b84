import type { Placed } from '@grantlog/eventsourcing';
import type { Instant } from '../ids.ts';
import type { CodeTerms, GrantEvent, GrantTerms, Issue, RevocationReason } from './events.ts';

/** What every grant that was ever allowed keeps to its end. */
type Allowed = {
  readonly terms: GrantTerms;
  /** Position of the stream's first event: a mass revocation above it ends this grant. */
  readonly firstPosition: number;
  readonly authorizedAt: Instant;
  /** The object that the account chose within the resource, if the platform has such a choice. */
  readonly context: string | null;
};

/** An access token revoked by itself; kept until it would have expired. */
type RevokedAccess = { readonly sequence: number; readonly expiresAt: number };

/** The tokens' side of a grant in use. Its size does not depend on how often the grant was refreshed. */
type InUse = Allowed & {
  readonly code: CodeTerms | null;
  readonly redeemedAt: Instant;
  readonly current: Issue;
  /** The first sequence whose tokens are bound to a key, and all from there on; null while none is. */
  readonly boundFrom: number | null;
  /** Whether the current pair was asked for again after a lost response. */
  readonly retried: boolean;
  /** How many sequences in a row were asked for again, the current one included. */
  readonly retriedInARow: number;
  readonly revokedAccess: readonly RevokedAccess[];
  /** Access tokens below this sequence are dead, whatever else is known of them. */
  readonly accessNotBefore: number;
};

export type GrantState =
  | { readonly status: 'none' }
  | { readonly status: 'denied'; readonly firstPosition: number }
  | (Allowed & { readonly status: 'authorized'; readonly code: CodeTerms })
  | (InUse & { readonly status: 'active' })
  | (Allowed & { readonly status: 'ended'; readonly reason: RevocationReason | 'expired'; readonly endedAt: Instant });

export const initialGrant: GrantState = { status: 'none' };

const revokedAccessLimit = 64;

const boundFrom = (before: number | null, { jkt, sequence }: Issue): number | null => before ?? (jkt === undefined ? null : sequence);

const begin = (allowed: Allowed, code: CodeTerms | null, issue: Issue): GrantState => ({
  ...allowed,
  status: 'active',
  code,
  redeemedAt: issue.issuedAt,
  current: issue,
  boundFrom: boundFrom(null, issue),
  retried: false,
  retriedInARow: 0,
  revokedAccess: [],
  accessNotBefore: 0,
});

const revokeAccess = (state: InUse, revoked: RevokedAccess, at: Instant): Pick<InUse, 'revokedAccess' | 'accessNotBefore'> => {
  const live = [...state.revokedAccess, revoked].filter(({ expiresAt }) => expiresAt * 1000 > at).sort((a, b) => a.sequence - b.sequence);
  const dropped = live.slice(0, Math.max(0, live.length - revokedAccessLimit));
  return {
    revokedAccess: live.slice(dropped.length),
    accessNotBefore: Math.max(state.accessNotBefore, (dropped.at(-1)?.sequence ?? -1) + 1),
  };
};

const allowedOf = (state: Allowed): Allowed => ({
  terms: state.terms,
  firstPosition: state.firstPosition,
  authorizedAt: state.authorizedAt,
  context: state.context,
});

/** Folds one event into a grant. An event that cannot follow the state leaves it as it is: deciders record none such. */
export const evolveGrant = (state: GrantState, event: Placed<GrantEvent>): GrantState => {
  switch (event.type) {
    case 'grant.authorized': {
      const { code, issue, ...terms } = event.data;
      const allowed: Allowed = { terms, firstPosition: event.position, authorizedAt: event.recordedAt, context: null };
      if (issue !== null) return begin(allowed, null, issue);
      return code === null ? state : { ...allowed, status: 'authorized', code };
    }
    case 'grant.denied':
      return { status: 'denied', firstPosition: event.position };
    case 'grant.code_redeemed':
      return state.status === 'authorized' ? begin(allowedOf(state), state.code, event.data.issue) : state;
    case 'grant.refreshed':
      if (state.status !== 'active') return state;
      return {
        ...state,
        current: event.data.issue,
        boundFrom: boundFrom(state.boundFrom, event.data.issue),
        retried: false,
        retriedInARow: state.retried ? state.retriedInARow : 0,
      };
    case 'grant.refresh_retried':
      return state.status === 'active' ? { ...state, retried: true, retriedInARow: state.retriedInARow + 1 } : state;
    case 'grant.context_selected':
      return state.status === 'active' || state.status === 'authorized' ? { ...state, context: event.data.context } : state;
    case 'grant.access_token_revoked': {
      if (state.status !== 'active') return state;
      const revoked = { sequence: event.data.sequence, expiresAt: event.data.accessExpiresAt };
      return { ...state, ...revokeAccess(state, revoked, event.recordedAt) };
    }
    case 'grant.expired':
      return state.status === 'authorized' || state.status === 'active'
        ? { ...allowedOf(state), status: 'ended', reason: 'expired', endedAt: event.recordedAt }
        : state;
    case 'grant.revoked':
      return state.status === 'authorized' || state.status === 'active'
        ? { ...allowedOf(state), status: 'ended', reason: event.data.reason, endedAt: event.recordedAt }
        : state;
    case 'grant.code_replayed':
    case 'grant.refresh_reused':
      return state;
  }
};
