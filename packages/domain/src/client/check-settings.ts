import type { ClientKind, ClientSettings } from './events.ts';

export type SettingsProblem =
  | 'auth_method_missing'
  | 'auth_method_not_allowed'
  | 'grant_type_missing'
  | 'grant_type_not_allowed'
  | 'redirect_uri_missing';

/**
 * What makes these settings contradict each other, or null. The syntax of each redirect URI and the platform's own
 * limits are the edge's to check.
 *
 * @see RFC 6749 §2.1, §4.4 (client credentials are for confidential clients only)
 */
export const settingsProblem = (
  kind: ClientKind,
  settings: Pick<ClientSettings, 'redirectUris' | 'grantTypes' | 'authMethods'>,
): SettingsProblem | null => {
  const { authMethods, grantTypes, redirectUris } = settings;
  if (authMethods.length === 0) return 'auth_method_missing';
  // `none` on a client with a secret would let anybody be that client.
  if (authMethods.some((method) => (method === 'none') !== (kind === 'public'))) return 'auth_method_not_allowed';
  if (grantTypes.length === 0) return 'grant_type_missing';
  if (kind === 'public' && grantTypes.includes('client_credentials')) return 'grant_type_not_allowed';
  if (grantTypes.includes('authorization_code') && redirectUris.length === 0) return 'redirect_uri_missing';
  return null;
};
