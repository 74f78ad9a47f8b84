import type { PlatformDocument } from '@grantlog/domain';
import { systemPlatform } from '@grantlog/domain';
import { listPlatforms, type Pool } from '@grantlog/postgres';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.ts';
import { html } from '../http/html.ts';
import { sendPage } from '../http/page.ts';
import { issuerOf } from '../platforms/issuer.ts';
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

/** `GET /`: what runs here, for people and, by `Accept`, for programs. Tenants are listed in development only. */
export const frontPage =
  (deps: Deps & { readonly pool: Pool }) =>
  (app: FastifyInstance): void => {
    app.get('/', { config: { authentication: 'none', errors: 'page' } }, async (request, reply) => {
      const rows = deps.config.isDevelopment ? await readRows(deps) : [];
      if (!(request.headers.accept ?? '').includes('text/html')) {
        return reply.header('cache-control', 'no-store').send({
          name: 'Grantlog',
          health: 'ok',
          platforms: rows.map((row) => ({ name: row.document.name, issuer: row.issuer, status: row.status })),
        });
      }
      const tenants = rows.filter((row) => row.document.name !== systemPlatform);
      const example = tenants[0]?.issuer ?? `${deps.config.publicUrl}/{platform}`;
      return sendPage(reply, 200, {
        title: 'Grantlog',
        branding: null,
        body: html`<h1>Grantlog</h1>
<p>An event-sourced OAuth 2.1 / OpenID Connect authorization server for AI agents. It is up, and its log answers.</p>
${
  deps.config.isDevelopment
    ? html`<h2>Platforms</h2>
<dl>${rows.map(
        (row) => html`<dt>${row.document.displayName} (${row.status})</dt>
<dd>Issuer <a href="${row.issuer}/.well-known/openid-configuration"><code>${row.issuer}</code></a></dd>`,
      )}</dl>`
    : html`<p>Each platform is its own issuer, under its own path.</p>`
}
<h2>What to try</h2>
<ul>
<li>Discovery: <code>curl ${example}/.well-known/oauth-authorization-server</code></li>
<li>An agent's whole life: <code>npx -y pnpm@12 demo</code></li>
<li>One grant's story from the log: <code>npx -y pnpm@12 grantlog audit grant &lt;id&gt;</code></li>
</ul>
<h2>Hosted clients</h2>
<p>A hosted client (an assistant on the web) cannot reach this computer's loopback address. Open a tunnel to this port and start with
<code>PUBLIC_URL=https://your-tunnel.example</code>: every issuer and link then carries that origin.</p>`,
      });
    });
  };
