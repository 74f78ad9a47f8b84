import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.ts';
import { html } from '../http/html.ts';
import { UnknownPlatformRequested } from '../http/not-found.ts';
import { sendPage } from '../http/page.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';

/** `GET /{platform}`: where its issuer's URL leads a person who follows it. */
export const platformPage =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    app.get('/:platform', { config: { authentication: 'none', errors: 'page' } }, async (request, reply) => {
      const names = await resolvePlatform(deps, request);
      const state = foldPlatform(await deps.log.load(names.platform, platformStreams));
      if (state.status === 'none') throw new UnknownPlatformRequested(names.platform);
      const { document } = state;
      const issuer = issuerOf(document, deps.config.publicUrl);
      return sendPage(reply, 200, {
        title: document.branding.displayName,
        branding: document.branding,
        body: html`<h1>${document.branding.displayName}</h1>
<p>The authorization server of ${document.displayName}. Apps find it by its issuer, <code>${issuer}</code>.</p>
<ul>
<li><a href="${issuer}/sign-in">Sign in</a></li>
<li><a href="${issuer}/connections">What is connected to your account</a></li>
<li><a href="${issuer}/.well-known/oauth-authorization-server">Discovery</a></li>
<li><a href="${issuer}/docs/authentication.md">For developers: how apps get and keep tokens</a></li>
${document.documentation === null ? null : html`<li><a href="${document.documentation}">Documentation</a></li>`}
</ul>`,
      });
    });
  };
