import { systemPlatform } from '@grantlog/domain';
import { listPlatforms, type Pool } from '@grantlog/postgres';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import { UnknownPlatformRequested } from '../http/not-found.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';
import { agentsPage } from './agents-page.ts';
import { authenticationPage } from './authentication-page.ts';
import { clientsPage } from './clients-page.ts';
import { eventsPage } from './events-page.ts';
import { mcpPage } from './mcp-page.ts';
import { securityEventsPage } from './security-events-page.ts';
import { type Described, paragraphs, type TextPage } from './text-page.ts';
import { webhooksPage } from './webhooks-page.ts';

const pages: readonly TextPage[] = [authenticationPage, clientsPage, agentsPage, mcpPage, webhooksPage, eventsPage, securityEventsPage];

/** @see https://llmstxt.org */
const llmsTxt = ({ document, issuer }: Described): string =>
  paragraphs(
    `# ${document.displayName}`,
    `> ${document.mcpServer?.description ?? `The authorization server of ${document.displayName}`}. Its issuer is ${issuer}.`,
    '## Documentation',
    pages
      .filter(({ isFor }) => isFor(document))
      .map(({ slug, title, about }) => `- [${title}](${issuer}/docs/${slug}.md): ${about}`)
      .join('\n'),
    document.documentation === null ? null : `## Optional\n\n- [For people](${document.documentation})`,
  );

const config = { authentication: 'none', errors: 'oauth', openToBrowsers: true } as const;

const sendText = (reply: FastifyReply, mediaType: 'text/plain' | 'text/markdown', text: string): FastifyReply =>
  reply
    .type(`${mediaType}; charset=utf-8`)
    .headers({ 'cache-control': 'public, max-age=300', 'x-content-type-options': 'nosniff' })
    .send(text);

/** Documentation of each platform as text, for agents to read: `llms.txt` lists the pages. */
export const documentationPages =
  (deps: Deps & { readonly pool: Pool }) =>
  (app: FastifyInstance): void => {
    const describedOf = async (request: FastifyRequest): Promise<Described> => {
      const names = await resolvePlatform(deps, request);
      const state = foldPlatform(await deps.log.load(names.platform, platformStreams));
      if (state.status === 'none') throw new UnknownPlatformRequested(names.platform);
      return { document: state.document, issuer: issuerOf(state.document, deps.config.publicUrl) };
    };
    // Which platforms there are is told in development only, as everywhere.
    const listed = async (): Promise<string> => {
      if (!deps.config.isDevelopment) return `Each platform has its own: ${deps.config.publicUrl}/{platform}/llms.txt`;
      const platforms = (await listPlatforms(deps.pool)).filter((platform) => platform !== systemPlatform);
      return platforms.map((platform) => `- [${platform}](${deps.config.publicUrl}/${platform}/llms.txt)`).join('\n');
    };

    app.get('/llms.txt', { config }, async (_request, reply) =>
      sendText(
        reply,
        'text/plain',
        paragraphs('# Grantlog', '> An OAuth 2.1 / OpenID Connect authorization server for AI agents.', '## Platforms', await listed()),
      ),
    );
    app.get('/:platform/llms.txt', { config }, async (request, reply) =>
      sendText(reply, 'text/plain', llmsTxt(await describedOf(request))),
    );
    app.get('/:platform/docs/:page', { config }, async (request, reply) => {
      const described = await describedOf(request);
      const { page: file = '' } = request.params as { readonly page?: string };
      const page = pages.find(({ slug, isFor }) => file === `${slug}.md` && isFor(described.document));
      if (page !== undefined) return sendText(reply, 'text/markdown', page.write(described));
      return reply
        .code(404)
        .header('cache-control', 'no-store')
        .send({ error: 'not_found', error_description: `No such page. ${described.issuer}/llms.txt lists what is here` });
    });
  };
