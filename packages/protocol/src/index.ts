export type { AuthorizationFailure, AuthorizationSuccess } from './authorization-response.ts';
export { authorizationFailure, authorizationSuccess, isRedirectableCode } from './authorization-response.ts';
export type {
  BearerChallenge,
  BearerCredentials,
  BearerRefusal,
  ChallengeCompatibility,
  DpopHint,
  TokenCredentials,
  TokenScheme,
} from './challenge.ts';
export { basicChallenge, bearerChallenge, bearerError, dpopChallenge, readAccessToken, readBearerToken } from './challenge.ts';
export type { RequestedClaims } from './claims-request.ts';
export { readClaimsRequest } from './claims-request.ts';
export type { ClientCredentials } from './client-authentication.ts';
export { clientAuthenticationError, clientParameters, readClientCredentials, refuseCredentialsInQuery } from './client-authentication.ts';
export type { ParsedClientId } from './client-id-url.ts';
export { longestClientId, parseClientId } from './client-id-url.ts';
export type { ClientKeys } from './client-keys.ts';
export { readClientKeys } from './client-keys.ts';
export type { ClientMetadata } from './client-metadata.ts';
export { applicationTypeOf, readClientMetadata } from './client-metadata.ts';
export type { DiscoveryPath } from './discovery-paths.ts';
export { discoveryPaths, protectedResourcePaths, resourceMetadataUrl } from './discovery-paths.ts';
export { explorationHeaders } from './exploration-headers.ts';
export type { FetchedRequest } from './foreign-page.ts';
export { foreignPageRefusal, isSentByForeignPage } from './foreign-page.ts';
export type {
  AuthorizationServerDescription,
  JsonDocument,
  OpenidDescription,
  ProtectedResourceDescription,
} from './metadata.ts';
export { authorizationServerMetadata, openidConfiguration, protectedResourceMetadata } from './metadata.ts';
export type { OAuthErrorBody, OAuthErrorCode } from './oauth-error.ts';
export { OAuthError, oauthErrorBody, oauthErrorStatus } from './oauth-error.ts';
export type { RequestParameters } from './parameters.ts';
export { readParameters } from './parameters.ts';
export { isCodeVerifier, matchesCodeChallenge, readCodeChallenge } from './pkce.ts';
export type { Problem } from './problem.ts';
export { ProblemError, problem, problemMediaType } from './problem.ts';
export type { Prompt } from './prompt.ts';
export { readMaxAge, readPrompt } from './prompt.ts';
export type { ParsedRedirectUri } from './redirect-uri.ts';
export { matchRedirectUri, parseRedirectUri, redirectWith, shownRedirectUri } from './redirect-uri.ts';
export { canonicalResource, parseResourceIndicator, sameResource } from './resource-indicator.ts';
export { formatScope, isScopeSubset, isScopeToken, parseScope } from './scope.ts';
export type { TokenResponse } from './token-response.ts';
export { tokenResponse, tokenResponseHeaders } from './token-response.ts';
