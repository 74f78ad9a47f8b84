import { basicChallenge } from './challenge.ts';
import { OAuthError } from './oauth-error.ts';

/** How a client named itself, and what it showed. Nothing has been verified yet. */
export type ClientCredentials =
  | { readonly method: 'client_secret_basic' | 'client_secret_post'; readonly clientId: string; readonly secret: string }
  | { readonly method: 'private_key_jwt'; readonly clientId: string; readonly assertion: string }
  | { readonly method: 'none'; readonly clientId: string };

/** The parameters by which a client shows itself in a form. */
export const clientParameters = ['client_id', 'client_secret', 'client_assertion', 'client_assertion_type'] as const;

/** The one type of assertion that clients authenticate with (RFC 7523 §2.2). */
const jwtBearer = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** VSCHAR of RFC 6749 appendix A.1 and A.2. */
const visible = /^[\x20-\x7e]+$/;
const maxHeaderLength = 4_096;

/**
 * The one answer to every failed client authentication, so that an unknown client and a wrong secret read the same.
 *
 * @param failure.description instead of that one sentence, for whoever has proved to be the client and only did it wrong.
 *
 * @see RFC 6749 §5.2
 */
export const clientAuthenticationError = (failure: {
  readonly realm: string;
  readonly reason: string;
  readonly description?: string;
  readonly cause?: unknown;
}): OAuthError =>
  new OAuthError('invalid_client', {
    description: failure.description ?? 'Client authentication failed',
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

const fromBase64Url = (text: string): Uint8Array | null => {
  try {
    return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (byte) => byte.charCodeAt(0));
  } catch {
    return null;
  }
};

/** Whom an assertion says that it is about, to know whose keys to verify it with; undefined where it says nothing of the kind. */
const subjectOf = (assertion: string): string | undefined => {
  const parts = assertion.split('.');
  const bytes = parts.length === 3 ? fromBase64Url(parts[1] ?? '') : null;
  if (bytes === null) return undefined;
  try {
    const claims: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    const sub = typeof claims === 'object' && claims !== null && 'sub' in claims ? claims.sub : undefined;
    return typeof sub === 'string' ? sub : undefined;
  } catch {
    return undefined;
  }
};

type Sent = {
  readonly clientId: string | undefined;
  readonly clientSecret: string | undefined;
  readonly clientAssertion?: string | undefined;
  readonly clientAssertionType?: string | undefined;
};

/** @throws OAuthError where more than one way to authenticate is used, or half of one. */
const refuseMixture = (authorization: string | undefined, { clientSecret, clientAssertion, clientAssertionType }: Sent): void => {
  if ([authorization, clientSecret, clientAssertion].filter((shown) => shown !== undefined).length > 1)
    throw new OAuthError('invalid_request', { description: 'Use one client authentication method, not two' });
  if (clientAssertion === undefined && clientAssertionType === undefined) return;
  if (clientAssertion === undefined)
    throw new OAuthError('invalid_request', { description: 'client_assertion_type was sent without client_assertion' });
  if (clientAssertionType !== jwtBearer)
    throw new OAuthError('invalid_request', { description: `client_assertion goes with client_assertion_type=${jwtBearer}` });
};

/**
 * Reads how a client authenticates: Basic header, secret or assertion in the body, or by its id alone.
 *
 * Id and secret of Basic are form-urlencoded before base64. Clients that skip the encoding are read the same,
 * as long as their id and secret are of `[A-Za-z0-9_-]`, which is all that this server issues.
 *
 * An assertion names its client by itself; `client_id` may be left out then, and may not name another (RFC 7521 §4.2).
 *
 * @param request.parameters {@link clientParameters} of the body, empty ones already left out.
 * @throws OAuthError `invalid_client` with a Basic challenge where credentials are absent or malformed,
 *   `invalid_request` where two methods are used at once or name different clients.
 * @see RFC 6749 §2.3.1, RFC 7523 §2.2
 */
export const readClientCredentials = (request: {
  readonly authorization: string | undefined;
  readonly parameters: Sent;
  readonly realm: string;
}): ClientCredentials => {
  const { authorization, realm } = request;
  const { clientId, clientSecret, clientAssertion } = request.parameters;
  const fail = (reason: string): OAuthError => clientAuthenticationError({ realm, reason });
  refuseMixture(authorization, request.parameters);

  if (authorization !== undefined) {
    if (!/^basic(?: |$)/i.test(authorization)) throw fail('the Authorization header is not Basic');
    const pair = decodeBasic(authorization);
    if (pair === undefined) throw fail('the Basic credentials are malformed');
    if (clientId !== undefined && clientId !== pair.clientId) {
      throw new OAuthError('invalid_request', { description: 'client_id differs from the client in the Authorization header' });
    }
    return { method: 'client_secret_basic', ...pair };
  }
  if (clientAssertion !== undefined) {
    const subject = subjectOf(clientAssertion);
    if (subject === undefined || subject.length > 2_048 || !visible.test(subject)) throw fail('the assertion is no JWT with a sub');
    if (clientId !== undefined && clientId !== subject)
      throw new OAuthError('invalid_request', { description: 'client_id differs from the client that client_assertion is about' });
    return { method: 'private_key_jwt', clientId: subject, assertion: clientAssertion };
  }
  if (clientId === undefined) throw fail('the request names no client');
  if (!visible.test(clientId)) throw fail('client_id contains characters that are not allowed');
  if (clientSecret === undefined) return { method: 'none', clientId };
  return { method: 'client_secret_post', clientId, secret: clientSecret };
};

const credentialParameters: readonly string[] = [
  'access_token',
  'actor_token',
  'assertion',
  'client_assertion',
  'client_secret',
  'code',
  'code_verifier',
  'device_code',
  'password',
  'refresh_token',
  'subject_token',
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
