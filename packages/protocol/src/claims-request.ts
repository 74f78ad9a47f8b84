import { OAuthError } from './oauth-error.ts';

/** What one claim is asked to be. Without an answer to it, a claim is voluntary and any value will do (OIDC Core §5.5.1). */
type RequestedClaim = {
  readonly essential: boolean;
  /** The values that would do; null for any. */
  readonly values: readonly unknown[] | null;
};

/** Claims asked for one by one, by name, for each place that they may be told in. */
export type RequestedClaims = {
  readonly idToken: ReadonlyMap<string, RequestedClaim>;
  readonly userinfo: ReadonlyMap<string, RequestedClaim>;
};

const mostClaims = 100;

const invalid = (description: string): OAuthError => new OAuthError('invalid_request', { description });

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const readClaim = (value: unknown): RequestedClaim => {
  if (value === null) return { essential: false, values: null };
  if (!isObject(value)) throw invalid('claims: what is asked of a claim must be null or an object');
  const { essential = false, value: one, values } = value;
  if (typeof essential !== 'boolean') throw invalid('claims: essential must be true or false');
  if (values !== undefined && !Array.isArray(values)) throw invalid('claims: values must be a list');
  if (one !== undefined && values !== undefined) throw invalid('claims: a claim has either value or values');
  return { essential, values: one === undefined ? (values ?? null) : [one] };
};

const readPlace = (name: 'id_token' | 'userinfo', value: unknown): RequestedClaims['idToken'] => {
  if (value === undefined || value === null) return new Map();
  if (!isObject(value)) throw invalid(`claims: ${name} must be an object`);
  const entries = Object.entries(value);
  if (entries.length > mostClaims) throw invalid(`claims: ${name} names more than ${mostClaims} claims`);
  return new Map(entries.map(([claim, asked]) => [claim, readClaim(asked)]));
};

/**
 * Reads the `claims` parameter, null where omitted. Members and claims that nobody here knows are kept or ignored, never refused:
 * which can be told is the platform's business.
 *
 * @throws OAuthError `invalid_request` for what is no request for claims.
 * @see OIDC Core §5.5
 */
export const readClaimsRequest = (text: string | undefined): RequestedClaims | null => {
  if (text === undefined) return null;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw invalid('claims must be JSON');
  }
  if (!isObject(json)) throw invalid('claims must be a JSON object with the members id_token and userinfo');
  return { idToken: readPlace('id_token', json['id_token']), userinfo: readPlace('userinfo', json['userinfo']) };
};
