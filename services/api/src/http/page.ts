import { randomToken } from '@grantlog/crypto';
import type { Branding } from '@grantlog/domain';
import type { FastifyReply } from 'fastify';
import type { SafeHtml } from './html.ts';
import { html } from './html.ts';

export type Page = {
  readonly title: string;
  readonly branding: Branding | null;
  readonly body: SafeHtml;
  /** Where a form of this page may lead besides this server: Chromium holds redirects after a POST to `form-action`, too. */
  readonly formTargets?: readonly string[];
};

const style = (accent: string): string => `
  :root { color-scheme: light dark; --accent: ${accent}; }
  body { font: 16px/1.5 system-ui, sans-serif; margin: 0; display: grid; place-items: center; min-height: 100vh; }
  main { width: min(30rem, 100% - 2rem); padding: 2rem 0; }
  h1 { font-size: 1.4rem; }
  label { display: block; margin: 1rem 0 .25rem; }
  input:not([type=hidden]) { font: inherit; width: 100%; box-sizing: border-box; padding: .5rem; }
  select { font: inherit; padding: .4rem; max-width: 100%; }
  .choices { border: 1px solid; border-radius: .3rem; margin: 1rem 0 0; max-height: 18rem; overflow: auto; }
  .choices label { display: flex; align-items: baseline; margin: .4rem 0; overflow-wrap: anywhere; }
  .choices input:not([type=hidden]) { flex: none; width: auto; margin: 0 .5rem 0 0; }
  button { font: inherit; padding: .6rem 1.2rem; margin: 1.5rem .5rem 0 0; cursor: pointer; }
  button.primary { background: var(--accent); color: #fff; border: 0; border-radius: .3rem; }
  .notice { border-left: .3rem solid var(--accent); padding: .5rem 1rem; }
  dt { font-weight: 600; } dd { margin: 0 0 .75rem; overflow-wrap: anywhere; }
  code { overflow-wrap: anywhere; }
  h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
  details { margin: 1rem 0; } summary { cursor: pointer; }
  .codes { columns: 2; list-style: none; padding: 0; line-height: 2; }
  .numbers { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0 0; }
  .numbers button { margin: 0; min-width: 5rem; font-size: 1.4rem; font-variant-numeric: tabular-nums; }
  .code { font-size: 1.6rem; letter-spacing: .1em; margin: .5rem 0; }
  .plain { list-style: none; padding: 0; } .plain > li { border-top: 1px solid; padding: 1rem 0; } .plain h2 { margin-top: 0; }
  button.quiet { background: none; border: 0; color: inherit; text-decoration: underline; padding: .25rem 0; margin: 0; }
`;

/** The origin, or the scheme of an app's own, that a redirect URI leads to. */
export const formTargetOf = (redirectUri: string): string => {
  const { origin, protocol } = new URL(redirectUri);
  // A policy's source knows no IPv6 literal, and a `;`, which the URL standard lets a host hold, would begin another directive.
  return /^[a-z]+:\/\/[a-z0-9.:_-]+$/.test(origin) ? origin : protocol;
};

/**
 * Sends a page: no script, nothing from elsewhere, not to be framed or stored.
 *
 * The referrer policy is `same-origin`: nothing leaves the origin, and forms keep their `Origin`, which `no-referrer`
 * would turn into `null`.
 */
export const sendPage = (reply: FastifyReply, status: number, page: Page): FastifyReply => {
  const nonce = randomToken(16);
  const targets = ["'self'", ...(page.formTargets ?? [])].join(' ');
  // Branding is parsed data: the colour is `#rrggbb` by the document's own rule.
  const accent = page.branding?.accentColor ?? '#1f4f8f';
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${page.title}</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">${{ text: style(accent) } as SafeHtml}</style>
</head>
<body><main>${page.body}</main></body>
</html>
`;
  return reply
    .code(status)
    .headers({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': `default-src 'none'; style-src 'nonce-${nonce}'; img-src 'self' https: data:; form-action ${targets}; frame-ancestors 'none'; base-uri 'none'`,
      'referrer-policy': 'same-origin',
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'cross-origin-opener-policy': 'same-origin',
    })
    .send(document.text);
};
