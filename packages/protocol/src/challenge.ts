import { OAuthError } from './oauth-error.ts';

/** What a `WWW-Authenticate: Bearer` says. Without credentials in the request, `error` stays absent (RFC 6750 §3.1). */
export type BearerChallenge = {
  readonly realm?: string;
  readonly error?: 'invalid_request' | 'invalid_token' | 'insufficient_scope';
  readonly errorDescription?: string;
  /** Everything the operation needs, in one challenge. */
  readonly scope?: readonly string[];
  /** URL of the resource's metadata (RFC 9728 §5.1). */
  readonly resourceMetadata?: string;
};

export type BearerCredentials =
  | { readonly kind: 'absent' }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'token'; readonly token: string };

const maxTokenLength = 8_192;

/** Clients in the field read these by a pattern that knows no escapes, so none may be needed. */
const quote = (text: string): string => `"${text.replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?')}"`;

/**
 * The value of a `WWW-Authenticate` header for a Bearer-protected resource: one challenge, every value quoted.
 *
 * @throws TypeError where nothing is said; the scheme alone is no challenge (RFC 6750 §3).
 * @see RFC 6750 §3; RFC 9728 §5.1
 */
export const bearerChallenge = (challenge: BearerChallenge): string => {
  const parameters = [
    ['realm', challenge.realm],
    ['error', challenge.error],
    ['error_description', challenge.errorDescription],
    ['scope', challenge.scope === undefined || challenge.scope.length === 0 ? undefined : challenge.scope.join(' ')],
    ['resource_metadata', challenge.resourceMetadata],
  ].flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${quote(value)}`]));
  if (parameters.length === 0) throw new TypeError('a Bearer challenge needs at least one parameter');
  return `Bearer ${parameters.join(', ')}`;
};

/** A refusal of presented Bearer credentials, with its challenge. */
export const bearerError = (refusal: {
  readonly code: 'invalid_request' | 'invalid_token' | 'insufficient_scope';
  readonly description: string;
  readonly reason?: string;
  readonly realm?: string;
  readonly scope?: readonly string[];
  readonly resourceMetadata?: string;
}): OAuthError => {
  const { code, description, reason, ...place } = refusal;
  return new OAuthError(code, {
    description,
    ...(reason === undefined ? {} : { reason }),
    headers: { 'www-authenticate': bearerChallenge({ ...place, error: code, errorDescription: description }) },
  });
};

/**
 * The value of a `WWW-Authenticate` header for endpoints where clients authenticate.
 *
 * @see RFC 7617 §2
 */
export const basicChallenge = (realm: string): string => `Basic realm=${quote(realm)}`;

/**
 * Reads a Bearer token from the Authorization header, the only place where one is accepted.
 * Another scheme counts as absent: it makes no claim that a Bearer resource could judge.
 *
 * @see RFC 6750 §2.1; RFC 9700 §4.3.2
 */
export const readBearerToken = (authorization: string | undefined): BearerCredentials => {
  if (authorization === undefined || !/^bearer(?: |$)/i.test(authorization)) return { kind: 'absent' };
  const token = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(authorization)?.[1];
  if (token === undefined || token.length > maxTokenLength) return { kind: 'malformed' };
  return { kind: 'token', token };
};
