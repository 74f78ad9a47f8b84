import type { ClientCredentials, RequestParameters, TokenResponse } from '@grantlog/protocol';
import type { PlatformNames } from '@grantlog/provisioning';

/** Every parameter that some grant reads; the rest of a form is ignored (RFC 6749 §3.2). */
export const tokenParameters = [
  'grant_type',
  'client_id',
  'client_secret',
  'code',
  'redirect_uri',
  'code_verifier',
  'device_code',
  'refresh_token',
  'scope',
  'resource',
] as const;

/** A token request after its edge: parameters single-valued, the client named but not yet proved. */
export type TokenRequest = {
  /** Thumbprint of the key whose possession the request has proved (RFC 9449 §5); null where it proves none. */
  readonly proofKey: string | null;
  readonly names: PlatformNames;
  readonly credentials: ClientCredentials;
  readonly parameters: RequestParameters<(typeof tokenParameters)[number]>;
  readonly correlationId: string;
};

/** One way to get tokens: the `grant_type` it answers to, and its exchange. */
export type GrantHandler = {
  readonly grantType: string;
  readonly exchange: (request: TokenRequest) => Promise<TokenResponse>;
};
