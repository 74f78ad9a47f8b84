import type {
  AssertionAlgorithm,
  ClientKind,
  ClientSettings,
  PlatformDocument,
  PlatformGrantType,
  SigningAlgorithm,
} from '@grantlog/domain';
import { deviceCodeGrant, tokenExchangeGrant } from '@grantlog/domain';
import { applicationTypeOf, type ClientMetadata, OAuthError, parseRedirectUri } from '@grantlog/protocol';
import { usualScopes } from '../developer/registration-rules.ts';
import { chooseAuthentication } from './auth-method.ts';
import { checkOwnRedirectUris } from './check-redirect-uris.ts';

/** What a client comes to have that registers itself. */
export type OwnSettings = ClientSettings & { readonly kind: ClientKind };

/**
 * Grants in which a person decides, or a token that a person gave is passed on. A stranger gets nothing in its own name
 * (`client_credentials`), and an identity provider speaks for clients that somebody knows (`jwt-bearer`).
 */
const ofPeople: readonly PlatformGrantType[] = ['authorization_code', 'refresh_token', deviceCodeGrant, tokenExchangeGrant];
const byDefault: readonly PlatformGrantType[] = ['authorization_code', 'refresh_token'];
const idTokenAlgorithms: readonly SigningAlgorithm[] = ['RS256', 'ES256', 'EdDSA'];
const assertionAlgorithms: readonly AssertionAlgorithm[] = ['RS256', 'PS256', 'ES256', 'EdDSA'];

const refuse = (description: string): OAuthError => new OAuthError('invalid_client_metadata', { description });

const grantTypesOf = ({ grantTypes, responseTypes }: ClientMetadata, document: PlatformDocument): readonly PlatformGrantType[] => {
  const offered = ofPeople.filter((type) => document.grantTypes.includes(type));
  // RFC 7591 §2 has the code alone by default; clients that say nothing still expect to stay connected.
  const asked = new Set<string>(grantTypes ?? byDefault);
  const granted = offered.filter((type) => asked.has(type));
  if (granted.length === 0) throw refuse(`grant_types must name one that clients may register for here: ${offered.join(', ')}`);
  if (granted.includes('authorization_code') && responseTypes !== null && !responseTypes.includes('code'))
    throw refuse('response_types must contain code, the only response type of this server');
  return granted;
};

const algorithm = <Algorithm extends string>(asked: string | null, member: string, offered: readonly Algorithm[]): Algorithm | null => {
  if (asked === null) return null;
  const found = offered.find((each) => each === asked);
  if (found === undefined) throw refuse(`${member} must be one of ${offered.join(', ')}`);
  return found;
};

/** What people read where a client has no name of its own: where it lives. */
const nameOf = ({ clientName, redirectUris }: ClientMetadata): string => {
  if (clientName !== null) return clientName;
  const sites = (redirectUris ?? []).map(parseRedirectUri).flatMap((parsed) => (parsed.kind === 'https' ? [parsed.host] : []));
  return sites[0]?.slice(0, 100) ?? 'An app on a device';
};

/**
 * What a client gets that registers itself: what it asks for, as far as this platform has it and a stranger may. Whatever
 * is not here is left out and not refused; the answer says what came of it.
 *
 * @throws OAuthError `invalid_redirect_uri` or `invalid_client_metadata`, in words that say what to send.
 * @see RFC 7591 §2, §3.2.1 (a server may replace what was asked for)
 */
export const ownSettings = (
  metadata: ClientMetadata,
  { document, issuer }: { readonly document: PlatformDocument; readonly issuer: string },
): OwnSettings => {
  const applicationType = applicationTypeOf(metadata);
  const grantTypes = grantTypesOf(metadata, document);
  const redirectUris = metadata.redirectUris ?? [];
  if (grantTypes.includes('authorization_code') && redirectUris.length === 0)
    throw new OAuthError('invalid_redirect_uri', {
      description: 'redirect_uris is required: list every URI that the client will be answered at',
    });
  checkOwnRedirectUris(redirectUris, { applicationType, switches: document.switches });
  const { kind, authMethods } = chooseAuthentication(metadata, applicationType);
  const usesKeys = authMethods.includes('private_key_jwt');
  return {
    kind,
    name: nameOf(metadata),
    redirectUris,
    grantTypes,
    // All of them, whatever it names: MCP clients register with the scope of their first challenge and step up later with
    // the same client, for which there would be no way back. A person decides each time what is granted.
    scopes: usualScopes(document, issuer),
    authMethods,
    idTokenAlg: algorithm(metadata.idTokenSignedResponseAlg, 'id_token_signed_response_alg', idTokenAlgorithms),
    serves: [],
    roles: [],
    applicationType,
    jwks: metadata.jwks,
    jwksUri: metadata.jwksUri,
    assertionAlg: usesKeys ? algorithm(metadata.tokenEndpointAuthSigningAlg, 'token_endpoint_auth_signing_alg', assertionAlgorithms) : null,
    postLogoutRedirectUris: metadata.postLogoutRedirectUris ?? [],
    backchannelLogout:
      metadata.backchannelLogoutUri === null
        ? null
        : { uri: metadata.backchannelLogoutUri, sessionRequired: metadata.backchannelLogoutSessionRequired ?? false },
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
  };
};
