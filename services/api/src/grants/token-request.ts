import type { RequestParameters, TokenResponse } from '@grantlog/protocol';
import { clientParameters } from '@grantlog/protocol';
import type { PlatformNames } from '@grantlog/provisioning';
import type { ClientProof } from '../access/client-proof.ts';

/** Every parameter that some grant reads; the rest of a form is ignored (RFC 6749 §3.2). */
export const tokenParameters = [
  'grant_type',
  ...clientParameters,
  'code',
  'redirect_uri',
  'code_verifier',
  'device_code',
  'refresh_token',
  'scope',
  'resource',
  'audience',
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'assertion',
] as const;

/** A token request after its edge: parameters single-valued, the client named, and proved as far as its assertion goes. */
export type TokenRequest = {
  /** Thumbprint of the key whose possession the request has proved (RFC 9449 §5); null where it proves none. */
  readonly proofKey: string | null;
  readonly names: PlatformNames;
  readonly credentials: ClientProof;
  readonly parameters: RequestParameters<(typeof tokenParameters)[number]>;
  /** Of whoever asks: what they make us fetch is bounded. */
  readonly address: string;
  readonly correlationId: string;
};

/** One way to get tokens: the `grant_type` it answers to, and its exchange. */
export type GrantHandler = {
  readonly grantType: string;
  readonly exchange: (request: TokenRequest) => Promise<TokenResponse>;
};
