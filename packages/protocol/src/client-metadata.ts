import { type ClientKeys, readClientKeys } from './client-keys.ts';
import { readName, readOneOf, readStrings, readSwitch, readText, readWebUrl, refuseMetadata } from './client-metadata-values.ts';
import { OAuthError } from './oauth-error.ts';
import { parseRedirectUri, shownRedirectUri } from './redirect-uri.ts';
import { parseScope } from './scope.ts';

/**
 * What a client says of itself, whether it registers or describes itself in a document: asserted, never verified. Null where
 * it says nothing. Values are as they were sent, so that whoever reads them may negotiate: a grant type that this server does
 * not know is no reason to refuse a client.
 *
 * @see RFC 7591 §2; OIDC Dynamic Client Registration §2; RFC 9449 §5.2; RFC 9126 §6
 */
export type ClientMetadata = {
  /** Only in a document and in an update: whoever registers has none yet. */
  readonly clientId: string | null;
  /** Each judged by {@link parseRedirectUri}, each once, in the order sent. */
  readonly redirectUris: readonly string[] | null;
  readonly tokenEndpointAuthMethod: string | null;
  /** Others that the client can do as well (OpenID Connect RP Metadata Choices). */
  readonly tokenEndpointAuthMethodsSupported: readonly string[] | null;
  readonly tokenEndpointAuthSigningAlg: string | null;
  readonly grantTypes: readonly string[] | null;
  readonly responseTypes: readonly string[] | null;
  readonly applicationType: 'web' | 'native' | null;
  /** One line without control characters and without those that turn the direction of text; at most 100 characters. */
  readonly clientName: string | null;
  /** An http or https URL, as are the next three. */
  readonly clientUri: string | null;
  readonly logoUri: string | null;
  readonly tosUri: string | null;
  readonly policyUri: string | null;
  readonly scopes: readonly string[] | null;
  /** Public keys alone; never beside `jwksUri`. */
  readonly jwks: ClientKeys | null;
  /** An https URL, or http on loopback. */
  readonly jwksUri: string | null;
  readonly softwareId: string | null;
  readonly softwareVersion: string | null;
  readonly idTokenSignedResponseAlg: string | null;
  /** Each judged as a redirect URI is. */
  readonly postLogoutRedirectUris: readonly string[] | null;
  /** An https URL, or http on loopback. */
  readonly backchannelLogoutUri: string | null;
  readonly backchannelLogoutSessionRequired: boolean | null;
  readonly dpopBoundAccessTokens: boolean | null;
  readonly requirePushedAuthorizationRequests: boolean | null;
};

type Json = Readonly<Record<string, unknown>>;

const isObject = (json: unknown): json is Json => typeof json === 'object' && json !== null && !Array.isArray(json);

const maxUris = 50;

const readRedirectUris = (json: Json, name: string): readonly string[] | null => {
  const uris = readStrings(json, name, { max: maxUris });
  for (const uri of uris ?? []) {
    const parsed = parseRedirectUri(uri);
    if (parsed.kind !== 'refused') continue;
    throw new OAuthError(name === 'redirect_uris' ? 'invalid_redirect_uri' : 'invalid_client_metadata', {
      description: `${name} contains ${shownRedirectUri(uri)}, which is refused because ${parsed.why}`,
      reason: `${name}: ${parsed.why}`,
    });
  }
  return uris;
};

const readScopes = (json: Json): readonly string[] | null => {
  const scope = readText(json, 'scope', { max: 4_096 });
  if (scope === null) return null;
  try {
    return parseScope(scope);
  } catch (cause) {
    if (!(cause instanceof OAuthError)) throw cause;
    throw new OAuthError('invalid_client_metadata', { description: cause.description, cause });
  }
};

/**
 * Reads the metadata of a client: what a registration request carries, and a client id metadata document alike.
 *
 * Unknown members are ignored, as are a `software_statement` and `contacts`: nobody vouches for the one, and the others are
 * people's addresses. A member that is null or an empty text counts as absent, because clients in the field send both.
 *
 * @throws OAuthError `invalid_redirect_uri` naming the URI and why, `invalid_client_metadata` naming the member.
 * @see RFC 7591 §2, §3.2.2
 */
export const readClientMetadata = (json: unknown): ClientMetadata => {
  if (!isObject(json)) throw refuseMetadata('The metadata of a client is a JSON object');
  const jwks = readClientKeys(json['jwks']);
  const jwksUri = readWebUrl(json, 'jwks_uri', { mayBePlain: false });
  if (jwks !== null && jwksUri !== null) throw refuseMetadata('jwks and jwks_uri exclude each other: send one of them');
  return {
    clientId: readText(json, 'client_id', { max: 2_048 }),
    redirectUris: readRedirectUris(json, 'redirect_uris'),
    tokenEndpointAuthMethod: readText(json, 'token_endpoint_auth_method', { max: 100 }),
    tokenEndpointAuthMethodsSupported: readStrings(json, 'token_endpoint_auth_methods_supported', { max: 20 }),
    tokenEndpointAuthSigningAlg: readText(json, 'token_endpoint_auth_signing_alg', { max: 20 }),
    grantTypes: readStrings(json, 'grant_types', { max: 20 }),
    responseTypes: readStrings(json, 'response_types', { max: 20 }),
    applicationType: readOneOf(json, 'application_type', ['web', 'native']),
    clientName: readName(json, 'client_name'),
    clientUri: readWebUrl(json, 'client_uri', { mayBePlain: true }),
    logoUri: readWebUrl(json, 'logo_uri', { mayBePlain: true }),
    tosUri: readWebUrl(json, 'tos_uri', { mayBePlain: true }),
    policyUri: readWebUrl(json, 'policy_uri', { mayBePlain: true }),
    scopes: readScopes(json),
    jwks,
    jwksUri,
    softwareId: readName(json, 'software_id'),
    softwareVersion: readName(json, 'software_version'),
    idTokenSignedResponseAlg: readText(json, 'id_token_signed_response_alg', { max: 20 }),
    postLogoutRedirectUris: readRedirectUris(json, 'post_logout_redirect_uris'),
    backchannelLogoutUri: readWebUrl(json, 'backchannel_logout_uri', { mayBePlain: false }),
    backchannelLogoutSessionRequired: readSwitch(json, 'backchannel_logout_session_required'),
    dpopBoundAccessTokens: readSwitch(json, 'dpop_bound_access_tokens'),
    requirePushedAuthorizationRequests: readSwitch(json, 'require_pushed_authorization_requests'),
  };
};

/**
 * Whether a client is a site or an app on somebody's device. Where it does not say, its redirect URIs do: OIDC's default of
 * `web` would refuse the loopback and the schemes of apps that leave it out.
 *
 * @see OIDC Dynamic Client Registration §2; RFC 8252 §7
 */
export const applicationTypeOf = (metadata: Pick<ClientMetadata, 'applicationType' | 'redirectUris'>): 'web' | 'native' => {
  if (metadata.applicationType !== null) return metadata.applicationType;
  const isSite = (uri: string): boolean => parseRedirectUri(uri).kind === 'https';
  return (metadata.redirectUris ?? []).every(isSite) ? 'web' : 'native';
};
