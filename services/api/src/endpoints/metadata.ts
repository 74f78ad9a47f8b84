import type { ClientAuthMethod, PlatformDocument } from '@grantlog/domain';
import { deviceCodeGrant } from '@grantlog/domain';
import {
  authorizationServerMetadata,
  type OpenidDescription,
  openidConfiguration,
  protectedResourceMetadata,
  sameResource,
} from '@grantlog/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { resourcesOf } from '../platforms/own-resources.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';

const secretMethods: readonly ClientAuthMethod[] = ['client_secret_basic', 'client_secret_post'];

/** What a platform supports, from its document alone: nothing is advertised that is not served. */
const describe = (document: PlatformDocument, publicUrl: string): OpenidDescription => {
  const issuer = issuerOf(document, publicUrl);
  const oauth = `${issuer}/oauth`;
  return {
    issuer,
    authorizationEndpoint: document.grantTypes.includes('authorization_code') ? `${oauth}/authorize` : undefined,
    tokenEndpoint: `${oauth}/token`,
    revocationEndpoint: `${oauth}/revoke`,
    introspectionEndpoint: `${oauth}/introspect`,
    deviceAuthorizationEndpoint: document.grantTypes.includes(deviceCodeGrant) ? `${oauth}/device_authorization` : undefined,
    userinfoEndpoint: `${oauth}/userinfo`,
    jwksUri: `${issuer}/.well-known/jwks.json`,
    scopesSupported: document.scopes.map((scope) => scope.name),
    responseTypesSupported: ['code'],
    responseModesSupported: ['query'],
    grantTypesSupported: document.grantTypes,
    tokenEndpointAuthMethodsSupported: [...secretMethods, 'none'],
    revocationEndpointAuthMethodsSupported: [...secretMethods, 'none'],
    introspectionEndpointAuthMethodsSupported: secretMethods,
    codeChallengeMethodsSupported: ['S256'],
    protectedResources: resourcesOf(document, issuer).map((resource) => resource.uri),
    serviceDocumentation: document.documentation ?? undefined,
    subjectTypesSupported: ['public'],
    idTokenSigningAlgValuesSupported: ['RS256', 'ES256', 'EdDSA'],
    claimsSupported: ['sub', 'iss', 'aud', 'exp', 'iat', 'auth_time', 'amr', 'nonce', 'at_hash', 'name', 'email', 'email_verified'],
    basicValidationEndpoint: document.switches.basicForExploration ? `${oauth}/basicvalidation` : undefined,
    challengeCompatibility: document.switches.arloChallenges ? 'arlo' : undefined,
    promptValuesSupported: ['login', 'consent', 'select_account'],
  };
};

const notFound = (reply: FastifyReply, description: string): FastifyReply =>
  reply.code(404).header('cache-control', 'no-store').send({ error: 'not_found', error_description: description });

const config = { authentication: 'none', errors: 'oauth', openToBrowsers: true } as const;

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
    const serve = (build: (description: OpenidDescription) => object) => async (request: FastifyRequest, reply: FastifyReply) =>
      reply.header('cache-control', 'public, max-age=300').send(build(describe(await documentOf(request), deps.config.publicUrl)));

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
      const resource = resourcesOf(document, issuer).find((each) => wanted !== undefined && sameResource(each.uri, wanted));
      if (resource === undefined) return notFound(reply, 'This platform has no protected resource of this URL');
      return reply.header('cache-control', 'public, max-age=300').send(
        protectedResourceMetadata({
          resource: resource.uri,
          authorizationServers: [issuer],
          // `offline_access` is between client and server, not the resource's to ask for (MCP SEP-2207).
          scopesSupported: resource.scopes.filter((scope) => scope !== 'offline_access'),
          name: resource.name,
          documentation: document.documentation ?? undefined,
        }),
      );
    };
    for (const path of ['/.well-known/oauth-protected-resource/:platform', '/:platform/.well-known/oauth-protected-resource']) {
      app.get(path, { config }, serveResource);
      app.get(`${path}/*`, { config }, serveResource);
    }
  };
