import { listPlatforms, type Pool } from '@grantlog/postgres';
import type { JsonDocument } from '@grantlog/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import { sendCacheable } from '../http/cacheable.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { aiCatalog, type CardSource, catalogMediaType, mcpJson, serverCard, serverCardMediaType } from './cards.ts';
import { loadMcpPlatform } from './mcp-platform.ts';

const config = { authentication: 'none', errors: 'oauth', openToBrowsers: true } as const;

const sendCard = (request: FastifyRequest, reply: FastifyReply, mediaType: string, card: JsonDocument): FastifyReply =>
  sendCacheable(request, reply, { mediaType, seconds: 3_600, body: JSON.stringify(card) });

const notFound = (reply: FastifyReply, description: string): FastifyReply =>
  reply.code(404).header('cache-control', 'no-store').send({ error: 'not_found', error_description: description });

/** What a client can know of a platform's MCP server before it connects, in the three forms that clients ask for. */
export const cardEndpoints =
  (deps: Deps & { readonly pool: Pool }) =>
  (app: FastifyInstance): void => {
    const sourceOf = async (request: FastifyRequest): Promise<CardSource> => {
      const { server, document, issuer } = await loadMcpPlatform(deps, request);
      return { server, displayName: document.displayName, issuer };
    };
    const everySource = async (): Promise<readonly CardSource[]> => {
      const states = await Promise.all(
        (await listPlatforms(deps.pool)).map(async (platform) => foldPlatform(await deps.log.load(platform, platformStreams))),
      );
      return states.flatMap((state): readonly CardSource[] => {
        if (state.status !== 'active' || state.document.mcpServer === null) return [];
        const { mcpServer, displayName } = state.document;
        return [{ server: mcpServer, displayName, issuer: issuerOf(state.document, deps.config.publicUrl) }];
      });
    };

    for (const path of ['/:platform/.well-known/mcp.json', '/.well-known/mcp.json/:platform']) {
      app.get(path, { config }, async (request, reply) => sendCard(request, reply, 'application/json', mcpJson(await sourceOf(request))));
    }
    app.get('/:platform/mcp/server-card', { config }, async (request, reply) =>
      sendCard(request, reply, serverCardMediaType, serverCard(await sourceOf(request))),
    );
    app.get('/:platform/.well-known/ai-catalog.json', { config }, async (request, reply) =>
      sendCard(request, reply, catalogMediaType, aiCatalog([await sourceOf(request)])),
    );

    app.get('/.well-known/mcp.json', { config }, async (_request, reply) =>
      notFound(reply, 'Each platform has its own MCP server: ask for /.well-known/mcp.json/{platform}'),
    );
    // Which platforms there are is told in development only, as everywhere: those with a host have their catalog at its root.
    app.get('/.well-known/ai-catalog.json', { config }, async (request, reply) =>
      deps.config.isDevelopment
        ? sendCard(request, reply, catalogMediaType, aiCatalog(await everySource()))
        : notFound(reply, 'Each platform has its own catalog: ask for /{platform}/.well-known/ai-catalog.json'),
    );
  };
