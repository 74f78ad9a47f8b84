/**
 * First segments of paths that are the server's own, so no platform has one of them as its name: what the API serves at its
 * root, the operations endpoints that a proxy may put beside it, and what browsers and people expect there. A test holds the
 * API's route table against it. `system` is not in it, being the name of a platform.
 */
export const reservedPlatformNames: ReadonlySet<string> = new Set([
  '.well-known',
  'mailbox',
  'llms.txt',
  'openapi.json',
  'healthz',
  'readyz',
  'metrics',
  'assets',
  'docs',
  'favicon.ico',
  'robots.txt',
]);
