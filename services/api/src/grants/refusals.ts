import type { GrantRefusal, PlatformDocument, SessionRefusal, Standing } from '@grantlog/domain';
import type { OAuthErrorCode } from '@grantlog/protocol';
import { OAuthError } from '@grantlog/protocol';

type Wire = { readonly code: OAuthErrorCode; readonly description: string; readonly status?: number };

const grant = (description: string): Wire => ({ code: 'invalid_grant', description });
const unusable = grant('The grant is invalid, expired or revoked');
const unexpected: Wire = { code: 'server_error', description: 'Unexpected refusal' };

/** Every refusal of a grant or a session as the token endpoint words it. What only the owner of a token may know stays one sentence. */
const wire = {
  unknown_grant: unusable,
  already_decided: unusable,
  not_standing: unusable,
  grant_denied: unusable,
  grant_ended: unusable,
  wrong_client: grant('The grant was issued to another client'),
  redirect_uri_missing: { code: 'invalid_request', description: 'redirect_uri is required, as the authorization request had it' },
  redirect_uri_mismatch: grant('redirect_uri differs from that of the authorization request'),
  verifier_missing: grant('code_verifier is required for this code'),
  verifier_unexpected: grant('code_verifier was sent, but the authorization request had no code_challenge'),
  verifier_mismatch: grant('code_verifier does not match the code_challenge'),
  code_expired: grant('The code has expired'),
  code_replayed: grant('The code was used before; the grant has been revoked'),
  code_not_redeemed: unusable,
  sequence_unknown: unusable,
  refresh_expired: grant('The refresh token has expired'),
  refresh_reused: grant('The refresh token was used before; the grant has been revoked'),
  refresh_retried_too_often: grant('Refresh tokens were asked for again too often; the grant has been revoked'),
  retry_differs: grant('A lost response can be asked for again only with the same scope and resource'),
  retry_of_revoked: grant('The access token of the lost response has been revoked; use the current refresh token'),
  clock_stepped_back: { code: 'temporarily_unavailable', description: 'Try again in a moment' },
  scope_not_granted: { code: 'invalid_scope', description: 'scope exceeds what was granted' },
  resource_not_granted: { code: 'invalid_target', description: 'resource is not part of the grant' },
  resource_ambiguous: { code: 'invalid_target', description: 'The grant has several resources; name one in resource' },
  not_expired: unexpected,
  // RFC 9449 §5, §10: whoever shows a copy of the code or token learns that a key belongs to it, which its owner knows.
  proof_key_mismatch: grant('The DPoP proof is missing or was made with another key than the grant is bound to'),
  context_pinned: unexpected,
  // Of sessions (RFC 8628 §3.5). All of them are 400 at the token endpoint; access_denied is a 403 elsewhere.
  unknown_session: unusable,
  session_revoked: unusable,
  authorization_pending: { code: 'authorization_pending', description: 'Nobody has decided yet; ask again after the interval' },
  session_denied: { code: 'access_denied', description: 'The person has denied the request', status: 400 },
  session_expired: { code: 'expired_token', description: 'The device code has expired; begin anew' },
  session_exists: unexpected,
  already_redeemed: unexpected,
  too_many_webhooks: unexpected,
} as const satisfies Record<GrantRefusal | SessionRefusal, Wire>;

/** Says which grant types there are on this platform, not which this server knows (RFC 6749 §5.2). */
export const unsupportedGrantType = ({ grantTypes }: Pick<PlatformDocument, 'grantTypes'>): OAuthError =>
  new OAuthError('unsupported_grant_type', { description: `grant_type must be one of ${grantTypes.join(', ')}` });

/** A grant's or a session's refusal as an OAuth error; the log gets the reason in words. */
export const refusalToError = (refusal: GrantRefusal | SessionRefusal, reason: string = refusal): OAuthError =>
  // A suspension ends, and clients that read `invalid_grant` throw their tokens away.
  reason === ('platform_suspended' satisfies Standing)
    ? new OAuthError('temporarily_unavailable', { description: 'The platform is suspended by its operator', reason })
    : wireError(wire[refusal], reason);

const wireError = ({ code, description, status }: Wire, reason: string): OAuthError =>
  new OAuthError(code, { description, reason, ...(status === undefined ? {} : { status }) });

/** What the agent of a pending session is told that asks too soon: the interval grows by five seconds (RFC 8628 §3.5). */
export const slowDown = (intervalSeconds: number): OAuthError =>
  new OAuthError('slow_down', {
    description: `Ask no sooner than every ${intervalSeconds} seconds; wait five more from now on`,
    headers: { 'retry-after': String(intervalSeconds + 5) },
  });
