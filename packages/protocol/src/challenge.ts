import { OAuthError } from './oauth-error.ts';

/** Why Bearer credentials are refused. `expired_token` is a sort of `invalid_token` that older documents have a code for. */
export type BearerRefusal = 'invalid_request' | 'invalid_token' | 'expired_token' | 'insufficient_scope';

/** An older dialect to speak beside RFC 6750, for clients written against its documents. */
export type ChallengeCompatibility = 'arlo';

/** What a `WWW-Authenticate: Bearer` says. Without credentials in the request, `error` stays absent (RFC 6750 §3.1). */
export type BearerChallenge = {
  readonly realm?: string;
  readonly error?: BearerRefusal;
  readonly errorDescription?: string;
  /** Everything the operation needs, in one challenge. */
  readonly scope?: readonly string[];
  /** URL of the resource's metadata (RFC 9728 §5.1). */
  readonly resourceMetadata?: string;
  /** `arlo`: the description also as `error_message`, the scope that is lacking also as `scopes`, and the code `expired_token`. */
  readonly compatibility?: ChallengeCompatibility;
};

export type BearerCredentials =
  | { readonly kind: 'absent' }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'token'; readonly token: string };

const maxTokenLength = 8_192;

/** Clients in the field read these by a pattern that knows no escapes, so none may be needed. */
const quote = (text: string): string => `"${text.replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?')}"`;

const joined = (scope: readonly string[] | undefined): string | undefined =>
  scope === undefined || scope.length === 0 ? undefined : scope.join(' ');

/** RFC 6750 §3.1 has no code for expiry, so only the dialect that has one hears of it. */
const codeOnTheWire = (code: BearerRefusal, compatibility: ChallengeCompatibility | undefined): BearerRefusal =>
  code === 'expired_token' && compatibility !== 'arlo' ? 'invalid_token' : code;

/** What the dialect repeats under names of its own, behind everything that RFC 6750 names. */
const repeated = ({
  compatibility,
  error,
  errorDescription,
  scope,
}: BearerChallenge): readonly (readonly [string, string | undefined])[] =>
  compatibility === undefined || error === undefined
    ? []
    : [
        ['error_message', errorDescription],
        ['scopes', error === 'insufficient_scope' ? joined(scope) : undefined],
      ];

/**
 * The value of a `WWW-Authenticate` header for a Bearer-protected resource: one challenge, every value quoted.
 * `expired_token` reads `invalid_token` where `compatibility` is not asked for.
 *
 * @throws TypeError where nothing is said; the scheme alone is no challenge (RFC 6750 §3).
 * @see RFC 6750 §3; RFC 9728 §5.1
 */
export const bearerChallenge = (challenge: BearerChallenge): string => {
  const { error, compatibility } = challenge;
  const parameters = [
    ['realm', challenge.realm] as const,
    ['error', error === undefined ? undefined : codeOnTheWire(error, compatibility)] as const,
    ['error_description', challenge.errorDescription] as const,
    ['scope', joined(challenge.scope)] as const,
    ['resource_metadata', challenge.resourceMetadata] as const,
    ...repeated(challenge),
  ].flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${quote(value)}`]));
  if (parameters.length === 0) throw new TypeError('a Bearer challenge needs at least one parameter');
  return `Bearer ${parameters.join(', ')}`;
};

/**
 * A refusal of presented Bearer credentials, with its challenge. An expired token is 401, as every invalid one.
 *
 * @see RFC 6750 §3.1
 */
export const bearerError = (refusal: {
  readonly code: BearerRefusal;
  readonly description: string;
  readonly reason?: string;
  readonly realm?: string;
  readonly scope?: readonly string[];
  readonly resourceMetadata?: string;
  readonly compatibility?: ChallengeCompatibility;
}): OAuthError => {
  const { code, description, reason, ...place } = refusal;
  const wireCode = codeOnTheWire(code, place.compatibility);
  return new OAuthError(wireCode, {
    description,
    // The code's own status is that of a device grant's poll (RFC 8628 §3.5).
    ...(wireCode === 'expired_token' ? { status: 401 } : {}),
    ...(reason === undefined ? {} : { reason }),
    headers: { 'www-authenticate': bearerChallenge({ ...place, error: code, errorDescription: description }) },
  });
};

/**
 * The value of a `WWW-Authenticate` header where user names and passwords are taken.
 *
 * @param charset tells browsers how to encode what people type; clients that authenticate need no telling.
 * @see RFC 7617 §2, §2.1
 */
export const basicChallenge = (realm: string, charset?: 'UTF-8'): string =>
  `Basic realm=${quote(realm)}${charset === undefined ? '' : `, charset=${quote(charset)}`}`;

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
