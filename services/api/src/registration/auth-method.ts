import type { ClientAuthMethod, ClientKind } from '@grantlog/domain';
import { type ClientMetadata, OAuthError } from '@grantlog/protocol';

/** What a client that registers itself may authenticate by. */
const offered: readonly ClientAuthMethod[] = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'];

/** How a client authenticates: the first method is the one that it is told, the others are taken as well. */
export type ChosenAuthentication = { readonly kind: ClientKind; readonly authMethods: readonly ClientAuthMethod[] };

// Libraries send a secret in the header or in the body whatever was registered, and it is the same secret.
const chosen = {
  none: { kind: 'public', authMethods: ['none'] },
  client_secret_basic: { kind: 'confidential', authMethods: ['client_secret_basic', 'client_secret_post'] },
  client_secret_post: { kind: 'confidential', authMethods: ['client_secret_post', 'client_secret_basic'] },
  private_key_jwt: { kind: 'confidential', authMethods: ['private_key_jwt'] },
} as const satisfies Record<ClientAuthMethod, ChosenAuthentication>;

const find = (names: readonly string[]): ClientAuthMethod | undefined => {
  const known = new Set<string>(names);
  return offered.find((method) => known.has(method));
};

/**
 * How a client will authenticate. One that says nothing gets a secret as RFC 7591 §2 has it, unless it is an app on
 * somebody's device, which could not keep one (RFC 8252 §8.5).
 *
 * @throws OAuthError `invalid_client_metadata` where it can do nothing that is offered, or has no keys for what it wants.
 */
export const chooseAuthentication = (metadata: ClientMetadata, applicationType: 'web' | 'native'): ChosenAuthentication => {
  const { tokenEndpointAuthMethod: asked, tokenEndpointAuthMethodsSupported: others, jwks, jwksUri } = metadata;
  const byDefault: ClientAuthMethod = applicationType === 'native' ? 'none' : 'client_secret_basic';
  const method = asked === null && others === null ? byDefault : (find(asked === null ? [] : [asked]) ?? find(others ?? []));
  if (method === undefined)
    throw new OAuthError('invalid_client_metadata', {
      description: `token_endpoint_auth_method must be one of ${offered.join(', ')}`,
      reason: 'no authentication method in common',
    });
  if (method === 'private_key_jwt' && jwks === null && jwksUri === null)
    throw new OAuthError('invalid_client_metadata', {
      description: 'private_key_jwt needs the public keys of the client: jwks, or jwks_uri',
    });
  return chosen[method];
};
