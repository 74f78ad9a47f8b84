import { OAuthError } from './oauth-error.ts';

const verifierSyntax = /^[A-Za-z0-9\-._~]{43,128}$/;

/** SHA-256 in base64url without padding is always 43 characters; anything else could never be matched later. */
const challengeSyntax = /^[A-Za-z0-9_-]{43}$/;

const invalid = (description: string): OAuthError => new OAuthError('invalid_request', { description });

/**
 * Reads `code_challenge` and `code_challenge_method`; undefined where neither is sent and none is required.
 *
 * Only S256 is accepted. A missing method means `plain` to RFC 7636, so it is refused with it.
 *
 * @throws OAuthError `invalid_request`
 * @see RFC 7636 §4.2, §4.3; RFC 9700 §2.1.1
 */
export const readCodeChallenge = (sent: {
  readonly challenge: string | undefined;
  readonly method: string | undefined;
  readonly required: boolean;
}): string | undefined => {
  const { challenge, method, required } = sent;
  if (challenge === undefined) {
    if (method !== undefined) throw invalid('code_challenge_method was sent without code_challenge');
    if (required) throw invalid('code_challenge is required (PKCE with code_challenge_method=S256)');
    return undefined;
  }
  if (method !== 'S256') throw invalid('code_challenge_method must be S256');
  if (!challengeSyntax.test(challenge))
    throw invalid('code_challenge must be the base64url SHA-256 of the verifier, 43 characters without padding');
  return challenge;
};

/**
 * Whether a text has the syntax of a code verifier.
 *
 * @see RFC 7636 §4.1
 */
export const isCodeVerifier = (text: string): boolean => verifierSyntax.test(text);

/**
 * Whether a redemption proves possession of the verifier.
 *
 * False also where only one of the two is present: a verifier without a challenge is a downgrade (RFC 9700 §4.8.2),
 * a challenge without a verifier is a stolen code. True where neither is.
 *
 * @param check.digest base64url of SHA-256 over the ASCII verifier, without padding.
 */
export const matchesCodeChallenge = (check: {
  readonly challenge: string | undefined;
  readonly verifier: string | undefined;
  readonly digest: (verifier: string) => string;
}): boolean => {
  const { challenge, verifier, digest } = check;
  if (challenge === undefined || verifier === undefined) return challenge === verifier;
  return isCodeVerifier(verifier) && digest(verifier) === challenge;
};
