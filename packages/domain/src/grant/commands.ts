import type { StreamId } from '@grantlog/eventsourcing';
import type { Standing } from '../access/standing.ts';
import type { ClientStreamId, Instant } from '../ids.ts';
import type { CodeTerms, GrantTerms, RevocationReason } from './events.ts';

/** How long the tokens of an issue live, and which key they are made with. */
export type IssueRules = {
  readonly accessTokenSeconds: number;
  /** Null: this grant gets no refresh token. */
  readonly refreshTokenSeconds: number | null;
  /** Seconds after the authorization past which no refresh token lives; null for no cap. */
  readonly grantMaxSeconds: number | null;
  readonly tokenKeyId: number;
};

/** What a token request may narrow. */
export type Narrowing = {
  /** Null when the request names no scope. */
  readonly scopes: readonly string[] | null;
  /** Null when the request names no resource. */
  readonly resource: string | null;
  /** What client and platform still allow of the grant, where that may have shrunk since; absent for all of it. */
  readonly allowed?: { readonly scopes: readonly string[]; readonly resources: readonly string[] };
};

export type RetryRules = {
  /** Seconds within which a lost response may be asked for again; 0 is strict. */
  readonly retrySeconds: number;
  /** Sequences in a row that may be asked for again before it counts as reuse. */
  readonly retryLimit: number;
};

/** A token as presented: its MAC has been verified, so these came from us. */
export type PresentedToken = { readonly sequence: number; readonly expiresAt: number };

export type GrantCommand =
  /** `context` is what the person chose, recorded beside the decision; null for none. */
  | { readonly type: 'authorize'; readonly terms: GrantTerms; readonly code: CodeTerms; readonly context: string | null }
  | {
      readonly type: 'issue_to_client';
      readonly terms: GrantTerms;
      readonly now: Instant;
      readonly rules: IssueRules;
      readonly narrowing: Narrowing;
      readonly proofKey: string | null;
      readonly context: string | null;
    }
  | { readonly type: 'deny'; readonly terms: Omit<GrantTerms, 'tokenNonce'> }
  | {
      readonly type: 'redeem_code';
      readonly now: Instant;
      readonly client: ClientStreamId;
      readonly standing: Standing;
      /** Null when the request leaves it out. */
      readonly redirectUri: string | null;
      /** S256 of the verifier, or null when none was sent. */
      readonly verifierDigest: string | null;
      readonly narrowing: Narrowing;
      readonly rules: IssueRules;
      /** Thumbprint of the key whose possession the request proves (RFC 9449), or null when it proves none. */
      readonly proofKey: string | null;
    }
  | {
      readonly type: 'refresh';
      readonly now: Instant;
      readonly client: ClientStreamId;
      readonly standing: Standing;
      readonly presented: PresentedToken;
      /** Null when the request leaves it out, as RFC 6749 §6 has it. */
      readonly redirectUri: string | null;
      readonly narrowing: Narrowing;
      readonly rules: IssueRules;
      readonly retry: RetryRules;
      readonly proofKey: string | null;
    }
  | { readonly type: 'revoke_access_token'; readonly now: Instant; readonly client: ClientStreamId; readonly presented: PresentedToken }
  | { readonly type: 'revoke_by_token'; readonly client: ClientStreamId; readonly presented: PresentedToken }
  | { readonly type: 'revoke'; readonly reason: RevocationReason; readonly by: StreamId | null }
  | { readonly type: 'select_context'; readonly context: string; readonly standing: Standing }
  | { readonly type: 'expire'; readonly now: Instant };

/** Why a grant refuses a command. */
export type GrantRefusal =
  | 'unknown_grant'
  | 'already_decided'
  | 'not_standing'
  | 'grant_denied'
  | 'grant_ended'
  | 'wrong_client'
  | 'redirect_uri_missing'
  | 'redirect_uri_mismatch'
  | 'verifier_missing'
  | 'verifier_unexpected'
  | 'verifier_mismatch'
  | 'code_expired'
  | 'code_replayed'
  | 'code_not_redeemed'
  | 'sequence_unknown'
  | 'refresh_expired'
  | 'refresh_reused'
  | 'refresh_retried_too_often'
  | 'retry_differs'
  | 'retry_of_revoked'
  | 'clock_stepped_back'
  | 'scope_not_granted'
  | 'resource_not_granted'
  | 'resource_ambiguous'
  | 'proof_key_mismatch'
  | 'context_pinned'
  | 'not_expired';
