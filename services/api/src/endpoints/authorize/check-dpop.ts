import { OAuthError } from '@grantlog/protocol';

/**
 * The key that the code of an authorization request will have to be redeemed with; null where the request names none.
 *
 * @throws OAuthError `invalid_request` for what is no SHA-256 thumbprint of a JWK (RFC 7638): no proof would ever fit it.
 * @see RFC 9449 §10
 */
export const checkDpopJkt = (dpopJkt: string | undefined): string | null => {
  if (dpopJkt === undefined) return null;
  // 43 characters hold two bits more than 32 bytes, so the last is one of sixteen.
  if (!/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(dpopJkt))
    throw new OAuthError('invalid_request', { description: 'dpop_jkt must be the base64url SHA-256 thumbprint of the key (RFC 7638)' });
  return dpopJkt;
};
