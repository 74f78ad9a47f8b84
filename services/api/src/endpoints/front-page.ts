import type { PlatformDocument } from '@grantlog/domain';
import { systemPlatform } from '@grantlog/domain';
import { listPlatforms, type Pool } from '@grantlog/postgres';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.ts';
import { html, type SafeHtml } from '../http/html.ts';
import { sendPage } from '../http/page.ts';
import { mcpUrlOf } from '../mcp/cards.ts';
import { discoveryUrlOf, issuerOf } from '../platforms/issuer.ts';
import { foldPlatform, platformStreams } from '../platforms/load-parties.ts';

type Row = { readonly document: PlatformDocument; readonly status: string; readonly issuer: string };

const readRows = async (deps: Deps & { readonly pool: Pool }): Promise<readonly Row[]> => {
  const platforms = await listPlatforms(deps.pool);
  const rows = await Promise.all(
    platforms.map(async (platform): Promise<readonly Row[]> => {
      const state = foldPlatform(await deps.log.load(platform, platformStreams));
      if (state.status === 'none') return [];
      return [{ document: state.document, status: state.status, issuer: issuerOf(state.document, deps.config.publicUrl) }];
    }),
  );
  return rows.flat();
};

/** Whether the log answers a load, which is what every request needs. */
const isHealthy = async (deps: Pick<Deps, 'log'>): Promise<boolean> =>
  deps.log.load(systemPlatform, platformStreams).then(
    () => true,
    () => false,
  );

/** `GET /`: what runs here, for people and, by `Accept`, for programs. Tenants are listed in development only. */
export const frontPage =
  (deps: Deps & { readonly pool: Pool }) =>
  (app: FastifyInstance): void => {
    app.get('/', { config: { authentication: 'none', errors: 'page' } }, async (request, reply) => {
      const healthy = await isHealthy(deps);
      const rows = healthy && deps.config.isDevelopment ? await readRows(deps) : [];
      const status = healthy ? 200 : 503;
      if (!(request.headers.accept ?? '').includes('text/html')) {
        return reply
          .code(status)
          .header('cache-control', 'no-store')
          .send({
            name: 'Grantlog',
            health: healthy ? 'ok' : 'the log does not answer',
            platforms: rows.map((row) => ({ name: row.document.name, issuer: row.issuer, status: row.status })),
            ...(deps.config.isDevelopment ? { mailbox: `${deps.config.publicUrl}/mailbox` } : {}),
            try: ['npx -y pnpm@12 demo', 'npx -y pnpm@12 grantlog audit grant <id>', `curl ${deps.config.publicUrl}/openapi.json`],
            hostedClients: 'They cannot reach loopback: open a tunnel to this port and start with PUBLIC_URL set to its https origin',
          });
      }
      return sendPage(reply, status, { title: 'Grantlog', branding: null, body: bodyOf(deps, rows, healthy) });
    });
  };

const bodyOf = (deps: Deps, rows: readonly Row[], healthy: boolean): SafeHtml => {
  const example = rows.find((row) => row.document.name !== systemPlatform)?.issuer ?? `${deps.config.publicUrl}/{platform}`;
  return html`<h1>Grantlog</h1>
<p>An event-sourced OAuth 2.1 / OpenID Connect authorization server for AI agents.</p>
<p class="notice" role="status">${healthy ? 'It is up, and its log answers.' : 'It is up, but its log does not answer. Look at DATABASE_URL and the log of the API.'}</p>
${
  deps.config.isDevelopment
    ? html`<h2>Platforms</h2>
<dl>${rows.map(
        (row) => html`<dt>${row.document.displayName} (${row.status})</dt>
<dd>Issuer <a href="${discoveryUrlOf(row.document, row.issuer)}"><code>${row.issuer}</code></a></dd>
${row.document.mcpServer === null ? null : html`<dd>MCP server <code>${mcpUrlOf(row.issuer)}</code>, documented in <a href="${row.issuer}/llms.txt">llms.txt</a></dd>`}`,
      )}</dl>
<p>What was mailed is in the <a href="/mailbox">mailbox</a>, codes and links included.</p>`
    : html`<p>Each platform is its own issuer, under its own path or host.</p>`
}
<h2>What to try</h2>
<ul>
<li>Discovery: <code>curl ${example}/.well-known/oauth-authorization-server</code></li>
<li>An agent's whole life: <code>npx -y pnpm@12 demo</code></li>
<li>One grant's story from the log: <code>npx -y pnpm@12 grantlog audit grant &lt;id&gt;</code></li>
</ul>
<h2>Hosted clients</h2>
<p>A hosted client (an assistant on the web) cannot reach this computer's loopback address. Open a tunnel to this port and start with
<code>PUBLIC_URL=https://your-tunnel.example</code>: every issuer and link then carries that origin.</p>`;
};
