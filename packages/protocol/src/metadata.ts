import type { ChallengeCompatibility } from './challenge.ts';

type List = readonly string[];
type Optional<T> = T | undefined;

/** A metadata document as it is served. */
export type JsonDocument = Readonly<Record<string, unknown>>;

/** What one issuer supports. Endpoints are absolute URLs; what is absent is not served and not advertised. */
export type AuthorizationServerDescription = {
  readonly issuer: string;
  readonly authorizationEndpoint?: Optional<string>;
  readonly tokenEndpoint: string;
  readonly jwksUri?: Optional<string>;
  readonly registrationEndpoint?: Optional<string>;
  readonly revocationEndpoint?: Optional<string>;
  readonly introspectionEndpoint?: Optional<string>;
  readonly deviceAuthorizationEndpoint?: Optional<string>;
  readonly pushedAuthorizationRequestEndpoint?: Optional<string>;
  readonly scopesSupported: List;
  readonly responseTypesSupported: List;
  readonly responseModesSupported?: Optional<List>;
  readonly grantTypesSupported: List;
  readonly tokenEndpointAuthMethodsSupported: List;
  readonly tokenEndpointAuthSigningAlgValuesSupported?: Optional<List>;
  readonly revocationEndpointAuthMethodsSupported?: Optional<List>;
  readonly revocationEndpointAuthSigningAlgValuesSupported?: Optional<List>;
  readonly introspectionEndpointAuthMethodsSupported?: Optional<List>;
  readonly introspectionEndpointAuthSigningAlgValuesSupported?: Optional<List>;
  readonly codeChallengeMethodsSupported: List;
  readonly clientIdMetadataDocumentSupported?: Optional<boolean>;
  readonly dpopSigningAlgValuesSupported?: Optional<List>;
  readonly protectedResources?: Optional<List>;
  readonly serviceDocumentation?: Optional<string>;
  readonly policyUri?: Optional<string>;
  readonly termsOfServiceUri?: Optional<string>;
  readonly uiLocalesSupported?: Optional<List>;
  /** Extension: where protected resources ask whether HTTP Basic credentials of an account are good. */
  readonly basicValidationEndpoint?: Optional<string>;
  /** Which profiles of its grant types it takes, such as an identity provider's assertions. */
  readonly authorizationGrantProfilesSupported?: Optional<List>;
  /** Extension: where the resource server of a token changes what its grant is for. */
  readonly grantContextEndpoint?: Optional<string>;
  /** Extension: which dialect protected resources add to their challenges. */
  readonly challengeCompatibility?: Optional<ChallengeCompatibility>;
};

/** What OpenID Connect adds. */
export type OpenidDescription = AuthorizationServerDescription & {
  readonly jwksUri: string;
  readonly userinfoEndpoint: string;
  readonly endSessionEndpoint?: Optional<string>;
  readonly subjectTypesSupported: List;
  readonly idTokenSigningAlgValuesSupported: List;
  readonly claimsSupported?: Optional<List>;
  readonly promptValuesSupported?: Optional<List>;
  readonly acrValuesSupported?: Optional<List>;
  /** Whether claims may be asked for one by one (OIDC Core §5.5). */
  readonly claimsParameterSupported?: Optional<boolean>;
};

/** One protected resource. `scopesSupported` is what MCP clients will ask a person to consent to. */
export type ProtectedResourceDescription = {
  readonly resource: string;
  readonly authorizationServers: readonly [string, ...string[]];
  readonly scopesSupported?: Optional<List>;
  readonly name?: Optional<string>;
  readonly documentation?: Optional<string>;
  readonly policyUri?: Optional<string>;
  readonly termsOfServiceUri?: Optional<string>;
  readonly jwksUri?: Optional<string>;
  readonly dpopSigningAlgValuesSupported?: Optional<List>;
};

/** Clients validate optional fields as strings or lists: they must be missing, never null, and RFC 8414 §3.2 omits empty lists. */
const present = (document: JsonDocument): JsonDocument =>
  Object.fromEntries(Object.entries(document).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)));

/**
 * The metadata of an authorization server.
 *
 * @see RFC 8414 §2; RFC 9207 §3; RFC 9728 §4; draft-ietf-oauth-client-id-metadata-document
 */
export const authorizationServerMetadata = (server: AuthorizationServerDescription): JsonDocument =>
  present({
    issuer: server.issuer,
    authorization_endpoint: server.authorizationEndpoint,
    token_endpoint: server.tokenEndpoint,
    jwks_uri: server.jwksUri,
    registration_endpoint: server.registrationEndpoint,
    revocation_endpoint: server.revocationEndpoint,
    introspection_endpoint: server.introspectionEndpoint,
    device_authorization_endpoint: server.deviceAuthorizationEndpoint,
    pushed_authorization_request_endpoint: server.pushedAuthorizationRequestEndpoint,
    scopes_supported: server.scopesSupported,
    response_types_supported: server.responseTypesSupported,
    response_modes_supported: server.responseModesSupported,
    grant_types_supported: server.grantTypesSupported,
    // draft-ietf-oauth-identity-assertion-authz-grant §7.2
    authorization_grant_profiles_supported: server.authorizationGrantProfilesSupported,
    token_endpoint_auth_methods_supported: server.tokenEndpointAuthMethodsSupported,
    token_endpoint_auth_signing_alg_values_supported: server.tokenEndpointAuthSigningAlgValuesSupported,
    revocation_endpoint_auth_methods_supported: server.revocationEndpointAuthMethodsSupported,
    revocation_endpoint_auth_signing_alg_values_supported: server.revocationEndpointAuthSigningAlgValuesSupported,
    introspection_endpoint_auth_methods_supported: server.introspectionEndpointAuthMethodsSupported,
    introspection_endpoint_auth_signing_alg_values_supported: server.introspectionEndpointAuthSigningAlgValuesSupported,
    code_challenge_methods_supported: server.codeChallengeMethodsSupported,
    // Every authorization response of this server carries `iss`, success and error alike.
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: server.clientIdMetadataDocumentSupported,
    dpop_signing_alg_values_supported: server.dpopSigningAlgValuesSupported,
    protected_resources: server.protectedResources,
    service_documentation: server.serviceDocumentation,
    op_policy_uri: server.policyUri,
    op_tos_uri: server.termsOfServiceUri,
    ui_locales_supported: server.uiLocalesSupported,
    // RFC 8414 §2 allows members of our own; clients ignore those they do not know (§3.2).
    basic_validation_endpoint: server.basicValidationEndpoint,
    grant_context_endpoint: server.grantContextEndpoint,
    challenge_compatibility: server.challengeCompatibility,
  });

/**
 * The configuration of an OpenID provider: the same document with what OIDC adds, so the two never contradict.
 *
 * @see OIDC Discovery 1.0 §3
 */
export const openidConfiguration = (provider: OpenidDescription): JsonDocument =>
  present({
    ...authorizationServerMetadata(provider),
    userinfo_endpoint: provider.userinfoEndpoint,
    end_session_endpoint: provider.endSessionEndpoint,
    // Whoever ends sessions tells of it: ID tokens name the sign-in by `sid` (OIDC Back-Channel Logout §2.1).
    backchannel_logout_supported: provider.endSessionEndpoint === undefined ? undefined : true,
    backchannel_logout_session_supported: provider.endSessionEndpoint === undefined ? undefined : true,
    subject_types_supported: provider.subjectTypesSupported,
    id_token_signing_alg_values_supported: provider.idTokenSigningAlgValuesSupported,
    claim_types_supported: ['normal'],
    claims_supported: provider.claimsSupported,
    prompt_values_supported: provider.promptValuesSupported,
    acr_values_supported: provider.acrValuesSupported,
    claims_parameter_supported: provider.claimsParameterSupported ?? false,
    request_parameter_supported: false,
    // Its default is true (OIDC Discovery §3), so silence would promise it.
    request_uri_parameter_supported: false,
  });

/**
 * The metadata of a protected resource. Tokens are accepted in the header only.
 *
 * @see RFC 9728 §2
 */
export const protectedResourceMetadata = (resource: ProtectedResourceDescription): JsonDocument =>
  present({
    resource: resource.resource,
    authorization_servers: resource.authorizationServers,
    scopes_supported: resource.scopesSupported,
    bearer_methods_supported: ['header'],
    resource_name: resource.name,
    resource_documentation: resource.documentation,
    resource_policy_uri: resource.policyUri,
    resource_tos_uri: resource.termsOfServiceUri,
    jwks_uri: resource.jwksUri,
    dpop_signing_alg_values_supported: resource.dpopSigningAlgValuesSupported,
  });
