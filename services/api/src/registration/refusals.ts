import type { ClientRefusal } from '@grantlog/domain';
import { OAuthError, type OAuthErrorCode } from '@grantlog/protocol';
import type { UnknownToPlatform } from '@grantlog/provisioning';

type Refusal = ClientRefusal | UnknownToPlatform | 'unknown_platform';
type Wire = { readonly code: OAuthErrorCode; readonly description: string };

const metadata = (description: string): Wire => ({ code: 'invalid_client_metadata', description });
/** What {@link ownSettings} never makes. */
const unexpected: Wire = { code: 'server_error', description: 'Unexpected refusal' };
/** Somebody, perhaps the reaper or an operator, was faster. */
const gone: Wire = { code: 'invalid_token', description: 'The client is not registered any more' };
const meanwhile: Wire = { code: 'temporarily_unavailable', description: 'The platform was changed just now; send the request again' };

/** Every refusal of a client as its registration words it. */
const wire = {
  unknown_platform: meanwhile,
  unknown_client: gone,
  client_deleted: gone,
  client_exists: unexpected,
  already_approved: unexpected,
  changed_since: unexpected,
  still_in_use: unexpected,
  not_described: unexpected,
  secret_missing: unexpected,
  secret_not_allowed: unexpected,
  auth_method_missing: unexpected,
  auth_method_not_allowed: metadata('token_endpoint_auth_method does not fit what the client was registered as'),
  grant_type_missing: unexpected,
  grant_type_not_allowed: unexpected,
  redirect_uri_missing: { code: 'invalid_redirect_uri', description: 'redirect_uris is required' },
  keys_missing: metadata('private_key_jwt needs the public keys of the client: jwks, or jwks_uri'),
  keys_ambiguous: metadata('jwks and jwks_uri exclude each other: send one of them'),
  unknown_scope: meanwhile,
  unknown_role: unexpected,
  unknown_resource: unexpected,
} as const satisfies Record<Refusal, Wire>;

/** What was done, where nothing refused it. @throws OAuthError */
export const unlessRefused = <Outcome extends object>(outcome: Outcome): Exclude<Outcome, { readonly refusal: Refusal }> => {
  if (!('refusal' in outcome)) return outcome as Exclude<Outcome, { readonly refusal: Refusal }>;
  const refusal = outcome.refusal as Refusal;
  const { code, description } = wire[refusal];
  throw new OAuthError(code, { description, reason: refusal });
};
