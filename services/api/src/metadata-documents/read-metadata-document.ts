import type {
  AssertionAlgorithm,
  ClientAuthMethod,
  ClientKind,
  ClientSettings,
  PlatformGrantType,
  SigningAlgorithm,
} from '@grantlog/domain';
import { tokenExchangeGrant } from '@grantlog/domain';
import type { ClientMetadata } from '@grantlog/protocol';
import { applicationTypeOf, OAuthError, readClientMetadata } from '@grantlog/protocol';

/** A client as its document describes it, before any platform has judged it. */
export type MetadataDocument = {
  readonly kind: ClientKind;
  readonly settings: Omit<ClientSettings, 'scopes'>;
  /** What it says that it asks for; null where it says nothing. */
  readonly scopes: readonly string[] | null;
};

/** What a client that nobody has looked at may do: act for people who allow it. It never acts for itself. */
const grantTypes: readonly PlatformGrantType[] = [
  'authorization_code',
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:device_code',
  tokenExchangeGrant,
  'urn:ietf:params:oauth:grant-type:jwt-bearer',
];
const assertionAlgorithms: readonly AssertionAlgorithm[] = ['RS256', 'PS256', 'ES256', 'EdDSA'];
const signingAlgorithms: readonly SigningAlgorithm[] = ['RS256', 'ES256', 'EdDSA'];

const refuse = (description: string): OAuthError => new OAuthError('invalid_client_metadata', { description });

const known = <Value extends string>(values: readonly Value[], asked: string | null): Value | null =>
  values.find((value) => value === asked) ?? null;

/** A document is public, so nothing secret can be in it: neither a secret nor a method that shows one. */
const checkNoSecret = (json: unknown, { tokenEndpointAuthMethod }: ClientMetadata): void => {
  const member = ['client_secret', 'client_secret_expires_at'].find((name) => Object.hasOwn(json as object, name));
  if (member !== undefined) throw refuse(`The document contains ${member}, which a public document must not`);
  if (tokenEndpointAuthMethod?.startsWith('client_secret_') === true)
    throw refuse('token_endpoint_auth_method is a method with a secret, which a public document cannot have');
};

/**
 * Every method that the client can do and that this server takes, whichever it prefers: it may say one thing in
 * `token_endpoint_auth_method` and list others beside it.
 *
 * @see OpenID Connect Relying Party Metadata Choices §2
 */
const authMethodsOf = (metadata: ClientMetadata): readonly ClientAuthMethod[] => {
  const { tokenEndpointAuthMethod: preferred, tokenEndpointAuthMethodsSupported: listed } = metadata;
  const hasKeys = metadata.jwks !== null || metadata.jwksUri !== null;
  const fallback = hasKeys ? 'private_key_jwt' : 'none';
  const offered = [...(preferred === null ? [] : [preferred]), ...(listed ?? [])];
  const asked = offered.length === 0 ? [fallback] : offered;
  const usable = (['none', 'private_key_jwt'] as const).filter((method) => asked.includes(method) && (method === 'none' || hasKeys));
  if (usable.length > 0) return usable;
  throw refuse(
    asked.includes('private_key_jwt')
      ? 'token_endpoint_auth_method is private_key_jwt, but the document has neither jwks nor jwks_uri'
      : 'token_endpoint_auth_method must be none or private_key_jwt',
  );
};

const grantTypesOf = ({ grantTypes: asked }: ClientMetadata): readonly PlatformGrantType[] => {
  const usable = grantTypes.filter((type) => (asked ?? ['authorization_code', 'refresh_token']).includes(type));
  if (!usable.includes('authorization_code')) throw refuse('grant_types must contain authorization_code');
  return usable;
};

/**
 * Reads a client id metadata document. It is negotiated rather than refused: what it offers beyond this server is left out.
 *
 * @throws OAuthError in words for whoever looks at the page.
 * @see draft-ietf-oauth-client-id-metadata-document §4; MCP authorization 2026-07-28, which requires a name and redirect URIs
 */
export const readMetadataDocument = (json: unknown, url: string): MetadataDocument => {
  const metadata = readClientMetadata(json);
  if (metadata.clientId !== url) throw refuse('The client_id in the document is not the URL at which it was found, character by character');
  checkNoSecret(json, metadata);
  const { clientName: name, redirectUris, responseTypes, backchannelLogoutUri } = metadata;
  if (name === null) throw refuse('The document has no client_name');
  if (redirectUris === null || redirectUris.length === 0) throw refuse('The document has no redirect_uris');
  if (responseTypes !== null && !responseTypes.includes('code')) throw refuse('response_types must contain code');
  const authMethods = authMethodsOf(metadata);
  return {
    kind: authMethods.includes('none') ? 'public' : 'confidential',
    scopes: metadata.scopes,
    settings: {
      name,
      redirectUris,
      grantTypes: grantTypesOf(metadata),
      authMethods,
      idTokenAlg: known(signingAlgorithms, metadata.idTokenSignedResponseAlg),
      serves: [],
      roles: [],
      applicationType: applicationTypeOf(metadata),
      // Its members are texts, and JSON thereby.
      jwks: metadata.jwks === null ? null : { keys: [...metadata.jwks.keys] },
      jwksUri: metadata.jwksUri,
      assertionAlg: known(assertionAlgorithms, metadata.tokenEndpointAuthSigningAlg),
      postLogoutRedirectUris: metadata.postLogoutRedirectUris ?? [],
      backchannelLogout:
        backchannelLogoutUri === null
          ? null
          : { uri: backchannelLogoutUri, sessionRequired: metadata.backchannelLogoutSessionRequired ?? false },
      dpopRequired: metadata.dpopBoundAccessTokens ?? false,
      parRequired: metadata.requirePushedAuthorizationRequests ?? false,
      about: {
        clientUri: metadata.clientUri,
        logoUri: metadata.logoUri,
        tosUri: metadata.tosUri,
        policyUri: metadata.policyUri,
        softwareId: metadata.softwareId,
        softwareVersion: metadata.softwareVersion,
      },
    },
  };
};
