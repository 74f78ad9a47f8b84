import { basicChallenge } from './challenge.ts';
import { OAuthError } from './oauth-error.ts';

/** How a client named itself, and the secret it showed. Nothing has been verified yet. */
export type ClientCredentials =
  | { readonly method: 'client_secret_basic' | 'client_secret_post'; readonly clientId: string; readonly secret: string }
  | { readonly method: 'none'; readonly clientId: string };

/** VSCHAR of RFC 6749 appendix A.1 and A.2. */
const visible = /^[\x20-\x7e]+$/;
const maxHeaderLength = 4_096;

/**
 * The one answer to every failed client authentication, so that an unknown client and a wrong secret read the same.
 *
 * @see RFC 6749 §5.2
 */
export const clientAuthenticationError = (failure: {
  readonly realm: string;
  readonly reason: string;
  readonly cause?: unknown;
}): OAuthError =>
  new OAuthError('invalid_client', {
    description: 'Client authentication failed',
    reason: failure.reason,
    headers: { 'www-authenticate': basicChallenge(failure.realm) },
    ...(failure.cause === undefined ? {} : { cause: failure.cause }),
  });

/** Undoes application/x-www-form-urlencoded of one value; undefined where it is malformed. */
const formDecode = (text: string): string | undefined => {
  try {
    const value = decodeURIComponent(text.replaceAll('+', ' '));
    return visible.test(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

const decodeBasic = (header: string): { readonly clientId: string; readonly secret: string } | undefined => {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header)?.[1];
  if (encoded === undefined || encoded.length % 4 !== 0 || header.length > maxHeaderLength) return undefined;
  const pair = atob(encoded);
  const colon = pair.indexOf(':');
  if (colon < 0 || !visible.test(pair)) return undefined;
  const clientId = formDecode(pair.slice(0, colon));
  const secret = formDecode(pair.slice(colon + 1));
  return clientId === undefined || secret === undefined ? undefined : { clientId, secret };
};

/**
 * Reads how a client authenticates: Basic header, secret in the body, or by its id alone.
 *
 * Id and secret of Basic are form-urlencoded before base64. Clients that skip the encoding are read the same,
 * as long as their id and secret are of `[A-Za-z0-9_-]`, which is all that this server issues.
 *
 * @param request.parameters `client_id` and `client_secret` of the body, empty ones already left out.
 * @throws OAuthError `invalid_client` with a Basic challenge where credentials are absent or malformed,
 *   `invalid_request` where two methods are used at once or name different clients.
 * @see RFC 6749 §2.3.1
 */
export const readClientCredentials = (request: {
  readonly authorization: string | undefined;
  readonly parameters: { readonly clientId: string | undefined; readonly clientSecret: string | undefined };
  readonly realm: string;
}): ClientCredentials => {
  const { authorization, realm } = request;
  const { clientId, clientSecret } = request.parameters;
  const fail = (reason: string): OAuthError => clientAuthenticationError({ realm, reason });

  if (authorization !== undefined) {
    if (clientSecret !== undefined) {
      throw new OAuthError('invalid_request', { description: 'Use one client authentication method, not two' });
    }
    if (!/^basic(?: |$)/i.test(authorization)) throw fail('the Authorization header is not Basic');
    const pair = decodeBasic(authorization);
    if (pair === undefined) throw fail('the Basic credentials are malformed');
    if (clientId !== undefined && clientId !== pair.clientId) {
      throw new OAuthError('invalid_request', { description: 'client_id differs from the client in the Authorization header' });
    }
    return { method: 'client_secret_basic', ...pair };
  }
  if (clientId === undefined) throw fail('the request names no client');
  if (!visible.test(clientId)) throw fail('client_id contains characters that are not allowed');
  if (clientSecret === undefined) return { method: 'none', clientId };
  return { method: 'client_secret_post', clientId, secret: clientSecret };
};

const credentialParameters: readonly string[] = [
  'access_token',
  'assertion',
  'client_assertion',
  'client_secret',
  'code',
  'code_verifier',
  'device_code',
  'password',
  'refresh_token',
  'token',
];

/**
 * Refuses a POST whose query string carries what belongs in its body: URLs end up in logs and histories.
 *
 * @throws OAuthError `invalid_request` naming the parameter, never its value.
 * @see RFC 6749 §2.3.1, §3.2
 */
export const refuseCredentialsInQuery = (query: Readonly<Record<string, unknown>>): void => {
  const found = credentialParameters.find((name) => Object.hasOwn(query, name));
  if (found !== undefined)
    throw new OAuthError('invalid_request', { description: `${found} must be sent in the request body, not in the URL` });
};
