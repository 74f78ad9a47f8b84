import type { FastifyInstance } from 'fastify';

const allowed = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'WWW-Authenticate, DPoP-Nonce, Retry-After, ETag',
};

const preflight = {
  ...allowed,
  'access-control-allow-methods': 'GET, POST, PUT, DELETE, OPTIONS',
  'access-control-allow-headers':
    'Authorization, Content-Type, Accept, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Session-Id, DPoP, If-None-Match, Last-Event-ID',
  'access-control-max-age': '86400',
};

/**
 * Opens the routes that say so to browsers of any origin, without credentials, and answers their preflights unasked.
 * All others, the authorization endpoint above all, answer no CORS (RFC 9700 §2.6).
 */
export const openRoutesToBrowsers = (app: FastifyInstance): void => {
  const open = new Set<string>();
  app.addHook('onRoute', (route) => {
    if (route.config?.openToBrowsers !== true || open.has(route.url)) return;
    open.add(route.url);
    app.options(route.url, { config: { authentication: 'none' } }, (_request, reply) => reply.code(204).headers(preflight).send());
  });
  app.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.config.openToBrowsers === true) reply.headers(allowed);
  });
};
