import { s256 } from '@grantlog/crypto';
import { isCodeVerifier, OAuthError } from '@grantlog/protocol';

/**
 * The S256 digest of a `code_verifier`, or null where none was sent.
 *
 * @throws OAuthError `invalid_request` for what cannot be one.
 * @see RFC 7636 §4.5
 */
export const digestVerifier = (verifier: string | undefined): string | null => {
  if (verifier === undefined) return null;
  if (!isCodeVerifier(verifier))
    throw new OAuthError('invalid_request', { description: 'code_verifier must be 43 to 128 unreserved characters' });
  return s256(verifier);
};
