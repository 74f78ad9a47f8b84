import type { DomainEvent, StreamId } from '@grantlog/eventsourcing';
import type { AccountId, ClientStreamId, GrantId, Instant, SessionId, SignInId } from '../ids.ts';

/** One access token (and, with `refresh`, one refresh token) of a grant, by everything its bytes are computed from. */
export type Issue = {
  /** The sequence that both tokens carry. */
  readonly sequence: number;
  /** Whole milliseconds since the epoch. */
  readonly issuedAt: Instant;
  /** Whole seconds since the epoch. */
  readonly accessExpiresAt: number;
  /** Whole seconds since the epoch; null when no refresh token was issued. */
  readonly refreshExpiresAt: number | null;
  /** Indices into the grant's ordered scopes. */
  readonly scopes: readonly number[];
  /** Index into the grant's resources, or null for a token that names none. */
  readonly resource: number | null;
  /** The token key that the MACs were made with. */
  readonly tokenKeyId: number;
  /** Thumbprint of the key that both tokens are bound to (RFC 9449 §6.1); absent for tokens of whoever bears them. */
  readonly jkt?: string;
  /** The context as it was when this was issued; absent where there was none. */
  readonly context?: string;
};

/** How a grant came to be. */
export type GrantFlow = 'authorization_code' | 'client_credentials' | 'device_code' | 'token_exchange' | 'jwt_bearer';

/** The key that an access token was made with. */
export type TokenMaker = { readonly use: 'token'; readonly keyId: number } | { readonly use: 'sign'; readonly keyId: string };

/** One access token that an exchange stands on: dead with it, and not longer alive. */
export type DelegationSource = {
  readonly grant: GrantId;
  readonly sequence: number;
  /** Whole seconds since the epoch. */
  readonly expiresAt: number;
  /** Where it has been retired since, anybody could have made the token. */
  readonly key: TokenMaker;
};

/**
 * Who acts for whom (RFC 8693 §4.1). `actors` are client ids, the present one first; `sources` every token on the way here, the
 * latest first. The grant lives no longer than any of them.
 */
export type Delegation = { readonly actors: readonly string[]; readonly sources: readonly DelegationSource[] };

/** Claims asked for one by one (OIDC Core §5.5), by name. */
export type ClaimsRequest = { readonly idToken: readonly string[]; readonly userinfo: readonly string[] };

/** What was allowed, to whom, for whom. `client`, `account`, `session` are the streams that a load follows. */
export type GrantTerms = {
  readonly flow: GrantFlow;
  readonly client: ClientStreamId;
  readonly clientId: string;
  readonly account: AccountId | null;
  readonly session: SessionId | null;
  readonly signIn: SignInId | null;
  /** Every scope allowed, in the order that token masks refer to. At most 64. */
  readonly scopes: readonly string[];
  /** Every resource allowed (RFC 8707), in the order that tokens refer to. At most 255. */
  readonly resources: readonly string[];
  /** When the person proved who they are; whole seconds since the epoch. Null without a person. */
  readonly authTime: number | null;
  /** How the person proved it (RFC 8176). Absent in events of earlier versions, and without a person. */
  readonly amr?: readonly string[];
  /** Absent where none was asked for. */
  readonly claims?: ClaimsRequest;
  /** The grant whose consent was remembered: this one was opened without asking. Absent where somebody was asked. */
  readonly remembered?: GrantId;
  /** Whether the context was part of what the app asked for, by a resource of its own: it cannot be changed. Absent: no. */
  readonly contextPinned?: boolean;
  /** Absent for a grant that stands on no other. */
  readonly delegation?: Delegation;
  /** 32 random bytes, base64url: part of what every MAC of this grant covers. No secret by itself. */
  readonly tokenNonce: string;
};

/** The conditions of what is redeemed for the first tokens: an authorization code, or the device code of a session. */
export type CodeTerms = {
  /** Whole seconds since the epoch. */
  readonly expiresAt: number;
  /** Null for a device code, which comes back to no URI. */
  readonly redirectUri: string | null;
  /** False when the request left `redirect_uri` out, so that the token request may too. */
  readonly redirectUriSent: boolean;
  readonly codeChallenge: string | null;
  readonly tokenKeyId: number;
  /** The OpenID Connect nonce to echo in the ID token. */
  readonly nonce: string | null;
  /** Thumbprint of the key that has to redeem it (RFC 9449 §10); absent for any. */
  readonly dpopJkt?: string;
};

export type RevocationReason =
  | 'token_revoked'
  | 'code_replayed'
  | 'refresh_reused'
  | 'refresh_retried_too_often'
  | 'by_account'
  | 'by_client'
  | 'by_operator';

type Of<Type extends string, Data extends object> = DomainEvent<Type, Data>;

export type GrantEvent =
  | Of<'grant.authorized', GrantTerms & { readonly code: CodeTerms | null; readonly issue: Issue | null }>
  | Of<'grant.denied', Omit<GrantTerms, 'tokenNonce'> & { readonly reason: 'by_account' }>
  | Of<'grant.code_redeemed', { readonly issue: Issue }>
  | Of<'grant.code_replayed', { readonly by: 'client'; readonly redeemedAt: Instant }>
  | Of<'grant.refreshed', { readonly issue: Issue }>
  | Of<'grant.refresh_retried', { readonly sequence: number }>
  | Of<'grant.refresh_reused', { readonly sequence: number; readonly current: number }>
  | Of<'grant.context_selected', { readonly context: string }>
  | Of<'grant.access_token_revoked', { readonly sequence: number; readonly accessExpiresAt: number }>
  | Of<'grant.expired', { readonly at: Instant }>
  | Of<'grant.revoked', { readonly reason: RevocationReason; readonly by: StreamId | null }>;
