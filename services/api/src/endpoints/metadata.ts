import { verifiableAlgs } from '@grantlog/crypto';
import type { ClientAuthMethod, PlatformDocument, ResourceDefinition } from '@grantlog/domain';
import { deviceCodeGrant } from '@grantlog/domain';
import { authorizationServerMetadata, type OpenidDescription, openidConfiguration, protectedResourceMetadata } from '@grantlog/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import { isOpenidProvider, issuerOf } from '../platforms/issuer.ts';
import { foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { findResource, resourcesOf } from '../platforms/own-resources.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';
import { claimsOfScopes } from '../tokens/personal-claims.ts';

const idJagProfile = 'urn:ietf:params:oauth:grant-profile:id-jag';

const confidentialMethods: readonly ClientAuthMethod[] = ['client_secret_basic', 'client_secret_post', 'private_key_jwt'];

/** What a platform supports, from its document alone: nothing is advertised that is not served. */
const describe = (document: PlatformDocument, publicUrl: string): OpenidDescription => {
  const issuer = issuerOf(document, publicUrl);
  const oauth = `${issuer}/oauth`;
  const scopes = document.scopes.map((scope) => scope.name);
  const takesDocuments = document.grantTypes.includes('authorization_code') && document.registration.policy.includes('metadata_document');
  return {
    issuer,
    authorizationEndpoint: document.grantTypes.includes('authorization_code') ? `${oauth}/authorize` : undefined,
    tokenEndpoint: `${oauth}/token`,
    registrationEndpoint: document.registration.policy.includes('open') ? `${oauth}/register` : undefined,
    revocationEndpoint: `${oauth}/revoke`,
    introspectionEndpoint: `${oauth}/introspect`,
    deviceAuthorizationEndpoint: document.grantTypes.includes(deviceCodeGrant) ? `${oauth}/device_authorization` : undefined,
    userinfoEndpoint: `${oauth}/userinfo`,
    jwksUri: `${issuer}/.well-known/jwks.json`,
    scopesSupported: scopes,
    responseTypesSupported: ['code'],
    responseModesSupported: ['query'],
    grantTypesSupported: document.grantTypes,
    authorizationGrantProfilesSupported: document.trustedIssuers.length === 0 ? undefined : [idJagProfile],
    pushedAuthorizationRequestEndpoint: document.grantTypes.includes('authorization_code') ? `${oauth}/par` : undefined,
    tokenEndpointAuthMethodsSupported: [...confidentialMethods, 'none'],
    tokenEndpointAuthSigningAlgValuesSupported: verifiableAlgs,
    revocationEndpointAuthMethodsSupported: [...confidentialMethods, 'none'],
    revocationEndpointAuthSigningAlgValuesSupported: verifiableAlgs,
    introspectionEndpointAuthMethodsSupported: confidentialMethods,
    introspectionEndpointAuthSigningAlgValuesSupported: verifiableAlgs,
    codeChallengeMethodsSupported: ['S256'],
    clientIdMetadataDocumentSupported: takesDocuments ? true : undefined,
    dpopSigningAlgValuesSupported: verifiableAlgs,
    protectedResources: resourcesOf(document, issuer).map((resource) => resource.uri),
    serviceDocumentation: document.documentation ?? undefined,
    endSessionEndpoint: document.grantTypes.includes('authorization_code') ? `${oauth}/end_session` : undefined,
    subjectTypesSupported: ['public'],
    idTokenSigningAlgValuesSupported: ['RS256', 'ES256', 'EdDSA'],
    claimsSupported: ['sub', 'iss', 'aud', 'exp', 'iat', 'auth_time', 'amr', 'sid', 'nonce', 'at_hash', ...claimsOfScopes(scopes)],
    claimsParameterSupported: true,
    basicValidationEndpoint: document.switches.basicForExploration ? `${oauth}/basicvalidation` : undefined,
    grantContextEndpoint: document.contexts === null ? undefined : `${oauth}/context`,
    challengeCompatibility: document.switches.arloChallenges ? 'arlo' : undefined,
    promptValuesSupported: ['none', 'login', 'consent', 'select_account'],
  };
};

/**
 * What clients that have not been challenged ask a person for: all that stands here, so it is what the platform gives or insists on
 * unasked, and everything only where that is nothing. `offline_access` is between client and server (MCP SEP-2207).
 */
const scopesToAskFor = ({ scopes }: PlatformDocument, resource: ResourceDefinition): readonly string[] => {
  const own = scopes.filter(({ name }) => resource.scopes.includes(name) && name !== 'offline_access');
  const unasked = own.filter((scope) => scope.default || scope.required);
  return (unasked.length === 0 ? own : unasked).map(({ name }) => name);
};

const notFound = (reply: FastifyReply, description: string): FastifyReply =>
  reply.code(404).header('cache-control', 'no-store').send({ error: 'not_found', error_description: description });

const config = { authentication: 'none', errors: 'oauth', openToBrowsers: true, trace: 'discovery' } as const;

/**
 * Discovery in every form that clients ask for: RFC 8414 and OIDC Discovery, inserted before the platform's path and
 * appended to it (RFC 8414 §3.1, OIDC Discovery §4).
 */
export const metadataEndpoints =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    const documentOf = async (request: FastifyRequest): Promise<PlatformDocument> => {
      const names = await resolvePlatform(deps, request);
      const platform = foldPlatform(await deps.log.load(names.platform, platformStreams));
      if (platform.status === 'none') throw new Error(`platform ${names.platform} has keys but no document`);
      return platform.document;
    };
    const serve = (build: (description: OpenidDescription) => object) => async (request: FastifyRequest, reply: FastifyReply) => {
      const document = await documentOf(request);
      // Whoever found it would ask for `openid` and be refused; clients that do not find it go on to RFC 8414 (MCP 2026-07-28).
      if (build === openidConfiguration && !isOpenidProvider(document))
        return notFound(reply, 'This platform is no OpenID provider: its metadata is at /.well-known/oauth-authorization-server');
      return reply.header('cache-control', 'public, max-age=300').send(build(describe(document, deps.config.publicUrl)));
    };

    for (const [name, build] of [
      ['oauth-authorization-server', authorizationServerMetadata],
      ['openid-configuration', openidConfiguration],
    ] as const) {
      app.get(`/.well-known/${name}/:platform`, { config }, serve(build));
      app.get(`/:platform/.well-known/${name}`, { config }, serve(build));
      // The root itself is no issuer: a document here would name another than was asked for.
      app.get(`/.well-known/${name}`, { config }, async (_request, reply) =>
        notFound(reply, `Each platform is its own issuer: ask for /.well-known/${name}/{platform}`),
      );
    }

    // Of a platform with a host of its own, the root is the bare form below; the root of all others belongs to none of them.
    app.get('/.well-known/oauth-protected-resource', { config }, async (_request, reply) =>
      notFound(reply, 'Each resource is described at its own URL: ask for /.well-known/oauth-protected-resource/{platform}/{path}'),
    );

    /** RFC 9728 §3.1: the resource whose URL the metadata URL was made from; the bare form names the MCP server, or the first. */
    const serveResource = async (request: FastifyRequest, reply: FastifyReply) => {
      const document = await documentOf(request);
      const issuer = issuerOf(document, deps.config.publicUrl);
      const { '*': rest = '' } = request.params as { readonly '*'?: string };
      const wanted = rest === '' ? (document.mcpServer?.resource ?? document.resources[0]?.uri) : `${issuer}/${rest}`;
      const found = wanted === undefined ? null : findResource(document, issuer, wanted);
      if (found === null) return notFound(reply, 'This platform has no protected resource of this URL');
      return reply.header('cache-control', 'public, max-age=300').send(
        protectedResourceMetadata({
          resource: found.uri,
          authorizationServers: [issuer],
          scopesSupported: scopesToAskFor(document, found.definition),
          name: found.definition.name,
          documentation: document.documentation ?? undefined,
          dpopSigningAlgValuesSupported: verifiableAlgs,
        }),
      );
    };
    for (const path of ['/.well-known/oauth-protected-resource/:platform', '/:platform/.well-known/oauth-protected-resource']) {
      app.get(path, { config }, serveResource);
      app.get(`${path}/*`, { config }, serveResource);
    }
  };
