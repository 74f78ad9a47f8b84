import type { AccountState } from '../account/state.ts';
import type { ClientState } from '../client/state.ts';
import type { PlatformState } from '../platform/state.ts';
import type { SessionState } from '../session/state.ts';

/** `good`, or the first reason found why something may not act. */
export type Standing =
  | 'good'
  | 'platform_suspended'
  | 'client_disabled'
  | 'client_deleted'
  | 'client_unapproved'
  | 'account_disabled'
  | 'account_erased'
  | 'revoked_with_client'
  | 'revoked_with_account'
  | 'revoked_with_platform'
  | 'session_ended'
  /** Of a grant by token exchange: a token that it stands on has ended, or belongs to somebody who may not act. */
  | 'source_ended';

type Live<State extends { readonly status: string }> = Extract<State, { status: 'active' }>;

type Outcome<State extends { readonly status: string }> =
  | { readonly standing: Standing }
  | { readonly standing: null; readonly live: Live<State> };

const ofClient = (client: ClientState): Outcome<ClientState> => {
  switch (client.status) {
    // A stream that says nothing stands for nothing: fail closed.
    case 'none':
    case 'deleted':
      return { standing: 'client_deleted' };
    case 'disabled':
      return { standing: 'client_disabled' };
    case 'active':
      return client.approval === 'approved' ? { standing: null, live: client } : { standing: 'client_unapproved' };
  }
};

const ofAccount = (account: AccountState): Outcome<AccountState> => {
  switch (account.status) {
    case 'none':
    case 'erased':
      return { standing: 'account_erased' };
    case 'disabled':
      return { standing: 'account_disabled' };
    case 'active':
      return { standing: null, live: account };
  }
};

// A grant is opened with the link of its session, so any other state than these two is not one that a grant can have.
const hasEnded = (session: SessionState | null): boolean =>
  session !== null && session.status !== 'linked' && session.status !== 'redeemed';

/**
 * Whether a grant, a session or a sign-in may act now, as far as what it belongs to is concerned. Every path asks this
 * one function, so that disabled means disabled everywhere; its own end (revoked, expired) is its own state's matter.
 *
 * `firstPosition` is the position of its first event, and null for what is about to be created, which no earlier
 * revocation can mean. `client` or `account` is null where it has none (a sign-in, client credentials); a stream it
 * names that was never written refuses. `session` is that of a grant which a sign-up session's consent opened: its end is
 * the grant's, whoever recorded it and whatever else was. Suspensions are told before revocations, the widest first.
 */
export const standing = (subject: {
  readonly firstPosition: number | null;
  readonly platform: PlatformState;
  readonly client: ClientState | null;
  readonly account: AccountState | null;
  readonly session?: SessionState | null;
}): Standing => {
  const { platform } = subject;
  if (platform.status !== 'active') return 'platform_suspended';
  const client = subject.client === null ? null : ofClient(subject.client);
  if (client !== null && client.standing !== null) return client.standing;
  const account = subject.account === null ? null : ofAccount(subject.account);
  if (account !== null && account.standing !== null) return account.standing;

  const first = subject.firstPosition ?? Number.POSITIVE_INFINITY;
  if (client !== null && first < client.live.revokedBefore) return 'revoked_with_client';
  if (account !== null && first < account.live.revokedBefore) return 'revoked_with_account';
  if (first < platform.revokedBefore) return 'revoked_with_platform';
  return hasEnded(subject.session ?? null) ? 'session_ended' : 'good';
};
