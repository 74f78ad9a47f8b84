import { type Decider, type Decision, record, refuse, type StreamId } from '@grantlog/eventsourcing';
import type { Standing } from '../access/standing.ts';
import type { AccountId, ClientStreamId, EndpointId, Instant, SignInId } from '../ids.ts';
import type { SessionDenial, SessionEvent, SessionRevocation, SessionTerms } from './events.ts';
import { evolveSession, noSession, type SessionState } from './state.ts';

/** Webhooks that one session may have. */
export const sessionWebhookLimit = 10;

export type SessionCommand =
  | { readonly type: 'start'; readonly terms: SessionTerms }
  | { readonly type: 'registerWebhook'; readonly endpoint: EndpointId }
  | {
      readonly type: 'link';
      readonly now: Instant;
      readonly account: AccountId;
      readonly signIn: SignInId;
      readonly standing: Standing;
    }
  | { readonly type: 'deny'; readonly now: Instant; readonly reason: SessionDenial; readonly account: AccountId | null }
  /** Commit it with the redemption of the session's grant, whose own decider checks the verifier. */
  | { readonly type: 'redeem'; readonly now: Instant; readonly client: ClientStreamId; readonly standing: Standing }
  | { readonly type: 'revoke'; readonly reason: SessionRevocation; readonly by: StreamId | null }
  | { readonly type: 'expire'; readonly now: Instant };

export type SessionRefusal =
  | 'session_exists'
  | 'unknown_session'
  | 'wrong_client'
  | 'not_standing'
  | 'authorization_pending'
  | 'already_decided'
  | 'already_redeemed'
  | 'session_denied'
  | 'session_expired'
  | 'session_revoked'
  | 'not_expired'
  | 'too_many_webhooks';

type Outcome = Decision<SessionEvent, SessionRefusal>;
type Living = Extract<SessionState, { status: 'pending' | 'linked' | 'redeemed' }>;

const refusalOfEnd: Readonly<Record<Extract<SessionState, { status: 'ended' }>['reason'], SessionRefusal>> = {
  by_account: 'session_denied',
  wrong_number: 'session_denied',
  expired: 'session_expired',
  revoked: 'session_revoked',
};

const hasRunOut = (state: Living, now: Instant): boolean => state.status !== 'redeemed' && now >= state.terms.expiresAt * 1000;

const act = (command: Exclude<SessionCommand, { type: 'start' }>, state: Living): Outcome => {
  switch (command.type) {
    case 'registerWebhook':
      if (state.endpoints.includes(command.endpoint)) return record();
      return state.endpoints.length >= sessionWebhookLimit
        ? refuse('too_many_webhooks')
        : record({ type: 'session.webhook_registered', data: { endpoint: command.endpoint } });
    case 'link':
      if (state.status !== 'pending') return refuse('already_decided');
      if (hasRunOut(state, command.now)) return refuse('session_expired');
      if (command.standing !== 'good') return refuse('not_standing');
      return record({ type: 'session.linked', data: { account: command.account, signIn: command.signIn } });
    case 'deny':
      if (state.status !== 'pending') return refuse('already_decided');
      if (hasRunOut(state, command.now)) return refuse('session_expired');
      return record({ type: 'session.denied', data: { reason: command.reason, account: command.account } });
    case 'redeem':
      if (state.terms.client !== command.client) return refuse('wrong_client');
      if (state.status === 'redeemed') return refuse('already_redeemed');
      if (hasRunOut(state, command.now)) return refuse('session_expired');
      // Before the pending: nobody is kept waiting for what will not come.
      if (command.standing !== 'good') return refuse('not_standing');
      return state.status === 'pending' ? refuse('authorization_pending') : record({ type: 'session.redeemed', data: {} });
    case 'revoke':
      return record({ type: 'session.revoked', data: { reason: command.reason, by: command.by } });
    case 'expire':
      return hasRunOut(state, command.now) ? record({ type: 'session.expired', data: { at: command.now } }) : refuse('not_expired');
  }
};

const decide = (command: SessionCommand, state: SessionState): Outcome => {
  if (command.type === 'start') {
    return state.status === 'none' ? record({ type: 'session.started', data: command.terms }) : refuse('session_exists');
  }
  switch (state.status) {
    case 'none':
      return refuse('unknown_session');
    case 'ended':
      // Whose device code it was is told to nobody else, dead or not.
      if (command.type === 'redeem' && state.terms.client !== command.client) return refuse('wrong_client');
      return command.type === 'revoke' || command.type === 'expire' ? record() : refuse(refusalOfEnd[state.reason]);
    case 'pending':
    case 'linked':
    case 'redeemed':
      return act(command, state);
  }
};

/** An agent's sign-up session: from its beginning, through one person's answer, to its end. Its stream id is a UUIDv7. */
export const sessionDecider: Decider<SessionState, SessionCommand, SessionEvent, SessionRefusal> = {
  initial: noSession,
  decide,
  evolve: evolveSession,
};
