import type { ClientRecord, PlatformDocument, SessionTerms } from '@grantlog/domain';
import { deviceCodeGrant, grantableScopes } from '@grantlog/domain';
import { matchRedirectUri } from '@grantlog/protocol';
import { takesRedirectUri } from '../endpoints/authorize/check-redirect-uri.ts';
import { findResource } from '../platforms/own-resources.ts';
import type { AuthorizationRequest } from './authorization-request.ts';

type Party = { readonly document: PlatformDocument; readonly client: ClientRecord; readonly issuer: string };

/**
 * Whether what a page showed may still be granted. Its checks were made when it was shown, up to an hour ago; client and
 * platform may have lost a redirect URI, a scope or a resource since.
 */
export const isStillAllowed = (request: AuthorizationRequest, { document, client, issuer }: Party): boolean => {
  const scopes = grantableScopes({ document, client, requested: request.scopes });
  return (
    document.grantTypes.includes('authorization_code') &&
    client.grantTypes.includes('authorization_code') &&
    client.redirectUris.some((registered) => matchRedirectUri(registered, request.redirectUri)) &&
    takesRedirectUri(document, request.redirectUri) &&
    scopes.outcome === 'granted' &&
    request.resources.every((uri) => findResource(document, issuer, uri)?.uri === uri) &&
    (request.codeChallenge !== null || (document.pkce === 'public_clients' && client.kind === 'confidential'))
  );
};

/** The same of an agent's session, which was checked when it began. */
export const isSessionStillAllowed = ({ scopes, resources }: SessionTerms, { document, client, issuer }: Party): boolean => {
  return (
    document.grantTypes.includes(deviceCodeGrant) &&
    client.grantTypes.includes(deviceCodeGrant) &&
    grantableScopes({ document, client, requested: scopes }).outcome === 'granted' &&
    resources.every((uri) => findResource(document, issuer, uri)?.uri === uri)
  );
};
