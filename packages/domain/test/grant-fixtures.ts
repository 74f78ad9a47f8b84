import type { GrantCommand } from '../src/grant/commands.ts';
import type { CodeTerms, GrantEvent, GrantTerms, Issue } from '../src/grant/events.ts';
import type { AccountId, ClientStreamId } from '../src/ids.ts';

export const client = '00000000-0004-8000-8000-00000000000a' as ClientStreamId;
export const thief = '00000000-0004-8000-8000-00000000000b' as ClientStreamId;
export const account = '00000000-0003-8000-8000-00000000000a' as AccountId;
export const start = 1_800_000_000_000;
export const seconds = start / 1000;

export const terms: GrantTerms = {
  flow: 'authorization_code',
  client,
  clientId: 'agent',
  account,
  session: null,
  signIn: null,
  scopes: ['openid', 'read', 'write'],
  resources: ['https://a.example/mcp', 'https://b.example/mcp'],
  authTime: seconds,
  tokenNonce: 'nonce',
};
export const code: CodeTerms = {
  expiresAt: seconds + 600,
  redirectUri: 'https://agent.example/cb',
  redirectUriSent: true,
  codeChallenge: 'challenge',
  tokenKeyId: 1,
  nonce: null,
};
export const rules = { accessTokenSeconds: 3600, refreshTokenSeconds: 7_776_000, grantMaxSeconds: null, tokenKeyId: 1 };
export const narrowing = { scopes: null, resource: 'https://a.example/mcp' };
export const issue = (sequence: number, issuedAt = start, change: Partial<Issue> = {}): Issue => ({
  sequence,
  issuedAt,
  accessExpiresAt: Math.floor(issuedAt / 1000) + 3600,
  refreshExpiresAt: Math.floor(issuedAt / 1000) + 7_776_000,
  scopes: [0, 1, 2],
  resource: 0,
  tokenKeyId: 1,
  ...change,
});
export const authorized: GrantEvent = { type: 'grant.authorized', data: { ...terms, code, issue: null } };
export const redeemed: GrantEvent = { type: 'grant.code_redeemed', data: { issue: issue(1) } };
export const refreshed = (sequence: number, at = start): GrantEvent => ({ type: 'grant.refreshed', data: { issue: issue(sequence, at) } });
export const retried = (sequence: number): GrantEvent => ({ type: 'grant.refresh_retried', data: { sequence } });
export const revoked = (reason: 'refresh_reused' | 'code_replayed' | 'refresh_retried_too_often'): GrantEvent => ({
  type: 'grant.revoked',
  data: { reason, by: client },
});

export type Redeem = Extract<GrantCommand, { type: 'redeem_code' }>;
export type Refresh = Extract<GrantCommand, { type: 'refresh' }>;
export const redeem = (change: Partial<Redeem> = {}): Redeem => ({
  type: 'redeem_code',
  now: start,
  client,
  standing: 'good',
  redirectUri: code.redirectUri,
  verifierDigest: 'challenge',
  narrowing,
  rules,
  proofKey: null,
  ...change,
});
export const refresh = (sequence: number, change: Partial<Refresh> = {}): Refresh => ({
  type: 'refresh',
  now: start,
  client,
  standing: 'good',
  presented: { sequence, expiresAt: seconds + 7_776_000 },
  redirectUri: null,
  narrowing,
  rules,
  retry: { retrySeconds: 60, retryLimit: 10 },
  proofKey: null,
  ...change,
});
