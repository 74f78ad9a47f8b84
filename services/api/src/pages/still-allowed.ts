import type { ClientRecord, PlatformDocument } from '@grantlog/domain';
import { grantableScopes } from '@grantlog/domain';
import { matchRedirectUri } from '@grantlog/protocol';
import type { AuthorizationRequest } from './authorization-request.ts';

/**
 * Whether what a page showed may still be granted. Its checks were made when it was shown, up to an hour ago; client and
 * platform may have lost a redirect URI, a scope or a resource since.
 */
export const isStillAllowed = (request: AuthorizationRequest, document: PlatformDocument, client: ClientRecord): boolean => {
  const scopes = grantableScopes({ document, client, requested: request.scopes });
  return (
    document.grantTypes.includes('authorization_code') &&
    client.grantTypes.includes('authorization_code') &&
    client.redirectUris.some((registered) => matchRedirectUri(registered, request.redirectUri)) &&
    scopes.outcome === 'granted' &&
    request.resources.every((uri) => document.resources.some((resource) => resource.uri === uri)) &&
    (request.codeChallenge !== null || (document.pkce === 'public_clients' && client.kind === 'confidential'))
  );
};
