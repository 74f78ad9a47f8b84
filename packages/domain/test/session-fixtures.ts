import type { GrantState } from '../src/grant/state.ts';
import type { AccountId, ClientStreamId, EndpointId, SessionId, SignInId } from '../src/ids.ts';
import type { SessionCommand } from '../src/session/decide.ts';
import type { SessionEvent, SessionTerms } from '../src/session/events.ts';
import { code, terms as grantTerms, issue } from './grant-fixtures.ts';

export const client = '00000000-0004-8000-8000-00000000000a' as ClientStreamId;
export const thief = '00000000-0004-8000-8000-00000000000b' as ClientStreamId;
export const account = '00000000-0003-8000-8000-00000000000a' as AccountId;
export const signIn = '01890000-0000-7000-8000-00000000000a' as SignInId;
export const endpointAt = (index: number) => `00000000-0006-8000-8000-${String(index).padStart(12, '0')}` as EndpointId;
const session = '01890000-0000-7000-8000-000000000001' as SessionId;

/** When sessions of these tests begin, and the first millisecond at which they have run out. */
export const start = 1_800_000_000_000;
export const over = start + 900_000;

export const terms: SessionTerms = {
  client,
  clientId: 'agent',
  via: 'init_signup',
  scopes: ['openid', 'read'],
  resources: ['https://a.example/mcp'],
  codeChallenge: null,
  expiresAt: over / 1000,
  intervalSeconds: 5,
  tokenKeyId: 1,
  tokenNonce: 'nonce',
};

export const started: SessionEvent = { type: 'session.started', data: terms };
export const linked: SessionEvent = { type: 'session.linked', data: { account, signIn } };
export const redeemed: SessionEvent = { type: 'session.redeemed', data: {} };
export const denied: SessionEvent = { type: 'session.denied', data: { reason: 'by_account', account } };
export const wrongNumber: SessionEvent = { type: 'session.denied', data: { reason: 'wrong_number', account } };
export const expired: SessionEvent = { type: 'session.expired', data: { at: over } };
export const revoked: SessionEvent = { type: 'session.revoked', data: { reason: 'by_account', by: account } };
export const webhook = (index: number): SessionEvent => ({ type: 'session.webhook_registered', data: { endpoint: endpointAt(index) } });

export const link = (change: Partial<Extract<SessionCommand, { type: 'link' }>> = {}): SessionCommand => ({
  type: 'link',
  now: start,
  account,
  signIn,
  standing: 'good',
  ...change,
});
export const deny = (change: Partial<Extract<SessionCommand, { type: 'deny' }>> = {}): SessionCommand => ({
  type: 'deny',
  now: start,
  reason: 'by_account',
  account,
  ...change,
});
export const redeem = (change: Partial<Extract<SessionCommand, { type: 'redeem' }>> = {}): SessionCommand => ({
  type: 'redeem',
  now: start,
  client,
  standing: 'good',
  ...change,
});

const allowed = {
  terms: { ...grantTerms, flow: 'device_code' as const, session },
  firstPosition: 3,
  authorizedAt: start,
  context: null,
};

/** The grant of a session, as it is after its link. */
export const authorizedGrant: GrantState = {
  ...allowed,
  status: 'authorized',
  code: { ...code, expiresAt: terms.expiresAt, redirectUri: null, redirectUriSent: false },
};

/** The same after its redemption. Its access token lives for an hour; `refreshSeconds` is null without `offline_access`. */
export const activeGrant = (refreshSeconds: number | null): GrantState => ({
  ...allowed,
  status: 'active',
  code: null,
  redeemedAt: start,
  current: issue(1, start, { refreshExpiresAt: refreshSeconds === null ? null : start / 1000 + refreshSeconds }),
  boundFrom: null,
  retried: false,
  retriedInARow: 0,
  revokedAccess: [],
  accessNotBefore: 0,
});

export const endedGrant = (reason: Extract<GrantState, { status: 'ended' }>['reason']): GrantState => ({
  ...allowed,
  status: 'ended',
  reason,
  endedAt: start,
});
