/** Every error code that this server puts on the wire, with the status it has where no redirect carries it. */
const statusOf = {
  // RFC 6749 §4.1.2.1 and §5.2
  invalid_request: 400,
  invalid_client: 401,
  invalid_grant: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  unsupported_response_type: 400,
  invalid_scope: 400,
  access_denied: 403,
  server_error: 500,
  temporarily_unavailable: 503,
  // RFC 6750 §3.1
  invalid_token: 401,
  insufficient_scope: 403,
  // RFC 7009 §2.2.1
  unsupported_token_type: 400,
  // RFC 7591 §3.2.2
  invalid_redirect_uri: 400,
  invalid_client_metadata: 400,
  invalid_software_statement: 400,
  unapproved_software_statement: 400,
  // RFC 8628 §3.5
  authorization_pending: 400,
  slow_down: 400,
  expired_token: 400,
  // RFC 8707 §2
  invalid_target: 400,
  // RFC 9449 §5 and §8
  invalid_dpop_proof: 400,
  use_dpop_nonce: 400,
  // OIDC Core §3.1.2.6
  interaction_required: 400,
  login_required: 400,
  account_selection_required: 400,
  consent_required: 400,
  invalid_request_uri: 400,
  invalid_request_object: 400,
  request_not_supported: 400,
  request_uri_not_supported: 400,
  registration_not_supported: 400,
  // Of our own: where a resource server changes what a grant is for
  unknown_context: 404,
  context_pinned: 409,
  // OpenID Connect Core Error Code unmet_authentication_requirements 1.0 §3
  unmet_authentication_requirements: 403,
} as const;

export type OAuthErrorCode = keyof typeof statusOf;

export type OAuthErrorBody = { readonly error: OAuthErrorCode; readonly error_description: string };

/** The default status of a code, for documents that list them. */
export const oauthErrorStatus = (code: OAuthErrorCode): number => statusOf[code];

/** RFC 6749 §5.2 allows neither quotes nor backslashes nor anything outside printable ASCII in a description. */
const asDescription = (text: string): string => text.replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?');

/**
 * A refusal as OAuth words it.
 *
 * `description` is fixed text that the caller reads; `reason` is for the log alone and defaults to it.
 * `message` holds code and reason, so a stack trace says what happened.
 *
 * @see RFC 6749 §5.2
 */
export class OAuthError extends Error {
  override readonly name = 'OAuthError';
  readonly code: OAuthErrorCode;
  readonly status: number;
  readonly description: string;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: OAuthErrorCode,
    details: {
      readonly description: string;
      readonly reason?: string;
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly cause?: unknown;
    },
  ) {
    const reason = details.reason ?? details.description;
    super(`${code}: ${reason}`, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.status = details.status ?? statusOf[code];
    this.description = asDescription(details.description);
    this.reason = reason;
    this.headers = details.headers ?? {};
  }
}

/** The JSON body of an error; the reason for the log never enters it. */
export const oauthErrorBody = (error: OAuthError): OAuthErrorBody => ({ error: error.code, error_description: error.description });
