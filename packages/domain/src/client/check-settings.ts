import type { ClientAuthMethod, ClientKind, ClientSettings } from './events.ts';

export type SettingsProblem =
  | 'auth_method_missing'
  | 'auth_method_not_allowed'
  | 'grant_type_missing'
  | 'grant_type_not_allowed'
  | 'redirect_uri_missing'
  | 'keys_missing'
  | 'keys_ambiguous';

export const isSecretMethod = (method: ClientAuthMethod): boolean => method === 'client_secret_basic' || method === 'client_secret_post';

/**
 * What makes these settings contradict each other, or null. The syntax of each redirect URI and the platform's own
 * limits are the edge's to check.
 *
 * @see RFC 6749 §2.1, §4.4 (client credentials are for confidential clients only)
 */
export const settingsProblem = (
  kind: ClientKind,
  settings: Pick<ClientSettings, 'redirectUris' | 'grantTypes' | 'authMethods' | 'jwks' | 'jwksUri'>,
): SettingsProblem | null => {
  const { authMethods, grantTypes, redirectUris } = settings;
  if (authMethods.length === 0) return 'auth_method_missing';
  // `none` on a client with a secret would let anybody be that client. A public one may have keys: its code is PKCE's to protect either way.
  if (authMethods.includes('none') !== (kind === 'public')) return 'auth_method_not_allowed';
  if (kind === 'public' && authMethods.some(isSecretMethod)) return 'auth_method_not_allowed';
  if (settings.jwks !== null && settings.jwksUri !== null) return 'keys_ambiguous';
  if (authMethods.includes('private_key_jwt') && settings.jwks === null && settings.jwksUri === null) return 'keys_missing';
  if (grantTypes.length === 0) return 'grant_type_missing';
  if (kind === 'public' && grantTypes.includes('client_credentials')) return 'grant_type_not_allowed';
  if (grantTypes.includes('authorization_code') && redirectUris.length === 0) return 'redirect_uri_missing';
  return null;
};
