import type { OAuthError, OAuthErrorCode } from './oauth-error.ts';
import { redirectWith } from './redirect-uri.ts';

type Destination = {
  /** Already matched against the client's registration. */
  readonly redirectUri: string;
  /** Echoed exactly; absent where the request had none. */
  readonly state: string | undefined;
  readonly issuer: string;
};

export type AuthorizationSuccess = Destination & { readonly code: string };
export type AuthorizationFailure = Destination & { readonly error: OAuthError };

/** Codes that RFC 6749 §4.1.2.1, OIDC Core §3.1.2.6 and RFC 8707 §2 send back through the browser. */
const redirectable: ReadonlySet<OAuthErrorCode> = new Set<OAuthErrorCode>([
  'access_denied',
  'account_selection_required',
  'consent_required',
  'interaction_required',
  'invalid_request',
  'invalid_request_object',
  'invalid_request_uri',
  'invalid_scope',
  'invalid_target',
  'login_required',
  'registration_not_supported',
  'request_not_supported',
  'request_uri_not_supported',
  'server_error',
  'temporarily_unavailable',
  'unauthorized_client',
  'unmet_authentication_requirements',
  'unsupported_response_type',
]);

/** Whether an error may travel to the redirect URI. `invalid_client` and `invalid_redirect_uri` never do. */
export const isRedirectableCode = (code: OAuthErrorCode): boolean => redirectable.has(code);

/**
 * The URL that carries a code to the client, with `iss` against mix-up.
 *
 * @see RFC 6749 §4.1.2; RFC 9207 §2
 */
export const authorizationSuccess = ({ redirectUri, code, state, issuer }: AuthorizationSuccess): string =>
  redirectWith(redirectUri, { code, state, iss: issuer });

/**
 * The URL that carries an error to the client, with `iss` as well.
 *
 * @throws TypeError for an error that must stay on our own page: redirecting it would be an open redirector.
 * @see RFC 6749 §4.1.2.1; RFC 9207 §2
 */
export const authorizationFailure = ({ redirectUri, error, state, issuer }: AuthorizationFailure): string => {
  if (!isRedirectableCode(error.code)) throw new TypeError(`${error.code} must not be redirected`);
  return redirectWith(redirectUri, { error: error.code, error_description: error.description, state, iss: issuer });
};
