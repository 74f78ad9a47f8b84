import { OAuthError } from './oauth-error.ts';

/**
 * Why an access token is refused. `expired_token` is a sort of `invalid_token` that older documents have a code for;
 * `invalid_dpop_proof` is said of the proof beside it (RFC 9449 §7.1).
 */
export type BearerRefusal = 'invalid_request' | 'invalid_token' | 'expired_token' | 'insufficient_scope' | 'invalid_dpop_proof';

/** How an access token is shown: by whoever bears it, or with a proof of possession (RFC 9449 §7.1). */
export type TokenScheme = 'Bearer' | 'DPoP';

/** What a challenge says of proofs: the scheme that the refused token was shown with, and the algorithms that would do. */
export type DpopHint = { readonly scheme: TokenScheme; readonly algs: readonly string[] };

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
  /**
   * Where the scheme is `DPoP`, the challenge is of that scheme. Where it is `Bearer`, the token would have to be shown with a
   * proof, and a challenge that says so follows. Left out where proofs play no part.
   */
  readonly dpop?: DpopHint | undefined;
};

export type BearerCredentials =
  | { readonly kind: 'absent' }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'token'; readonly token: string };

/** An access token as the Authorization header shows it. */
export type TokenCredentials =
  | { readonly kind: 'absent' }
  | { readonly kind: 'malformed'; readonly scheme: TokenScheme }
  | { readonly kind: 'token'; readonly scheme: TokenScheme; readonly token: string };

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

/** What a resource says that takes proofs of these algorithms (RFC 9449 §7.1). */
export const dpopChallenge = (algs: readonly string[]): string => `DPoP algs=${quote(algs.join(' '))}`;

/**
 * The value of a `WWW-Authenticate` header for a resource that takes access tokens: one challenge, every value quoted, and a
 * second one where `dpop` says that the token belongs to a key. `expired_token` reads `invalid_token` where `compatibility` is not
 * asked for.
 *
 * @throws TypeError where nothing is said; the scheme alone is no challenge (RFC 6750 §3).
 * @see RFC 6750 §3; RFC 9449 §7.1; RFC 9728 §5.1
 */
export const bearerChallenge = (challenge: BearerChallenge): string => {
  const { error, compatibility, dpop } = challenge;
  const parameters = [
    ['realm', challenge.realm] as const,
    ['error', error === undefined ? undefined : codeOnTheWire(error, compatibility)] as const,
    ['error_description', challenge.errorDescription] as const,
    ['scope', joined(challenge.scope)] as const,
    ['resource_metadata', challenge.resourceMetadata] as const,
    ...repeated(challenge),
    ['algs', dpop?.scheme === 'DPoP' ? dpop.algs.join(' ') : undefined] as const,
  ].flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${quote(value)}`]));
  if (parameters.length === 0) throw new TypeError('a Bearer challenge needs at least one parameter');
  const said = `${dpop?.scheme ?? 'Bearer'} ${parameters.join(', ')}`;
  return dpop?.scheme === 'Bearer' ? `${said}, ${dpopChallenge(dpop.algs)}` : said;
};

/**
 * A refusal of a presented access token, with its challenge. An expired token is 401, as every invalid one and a bad proof.
 *
 * @see RFC 6750 §3.1; RFC 9449 §7.1
 */
export const bearerError = (refusal: {
  readonly code: BearerRefusal;
  readonly description: string;
  readonly reason?: string;
  readonly realm?: string;
  readonly scope?: readonly string[];
  readonly resourceMetadata?: string;
  readonly compatibility?: ChallengeCompatibility;
  readonly dpop?: DpopHint | undefined;
}): OAuthError => {
  const { code, description, reason, ...place } = refusal;
  const wireCode = codeOnTheWire(code, place.compatibility);
  return new OAuthError(wireCode, {
    description,
    // The codes' own statuses are those of the token endpoint (RFC 8628 §3.5, RFC 9449 §5).
    ...(wireCode === 'expired_token' || wireCode === 'invalid_dpop_proof' ? { status: 401 } : {}),
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
 * Reads a token that is bound to no key, whatever it is for, from the Authorization header, the only place where one is accepted.
 * Another scheme counts as absent: it makes no claim that a Bearer resource could judge. Access tokens are read by
 * {@link readAccessToken}.
 *
 * @see RFC 6750 §2.1; RFC 9700 §4.3.2
 */
export const readBearerToken = (authorization: string | undefined): BearerCredentials => {
  if (authorization === undefined || !/^bearer(?: |$)/i.test(authorization)) return { kind: 'absent' };
  const token = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(authorization)?.[1];
  if (token === undefined || token.length > maxTokenLength) return { kind: 'malformed' };
  return { kind: 'token', token };
};

/**
 * Reads an access token of either scheme from the Authorization header, the only place where one is accepted. Whether the scheme
 * is the one that the token has to be shown with is for whoever knows the token to say.
 *
 * @see RFC 6750 §2.1; RFC 9449 §7.1; RFC 9110 §11.1 (the scheme's case plays no part)
 */
export const readAccessToken = (authorization: string | undefined): TokenCredentials => {
  const isProved = authorization !== undefined && /^dpop(?: |$)/i.test(authorization);
  const scheme: TokenScheme = isProved ? 'DPoP' : 'Bearer';
  const credentials = readBearerToken(isProved ? authorization.replace(/^dpop/i, 'Bearer') : authorization);
  return credentials.kind === 'absent' ? credentials : { ...credentials, scheme };
};
