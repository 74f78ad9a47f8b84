import type { IncomingHttpHeaders } from 'node:http';
import type { Upstream } from './find-upstream.ts';
import { hopByHop } from './hop-by-hop.ts';

/** What would speak for our whole origin, on which the resource is a guest, or to the proxy before us. */
const withheld: ReadonlySet<string> = new Set([
  ...hopByHop,
  'accept-ch',
  'alt-svc',
  'clear-site-data',
  'critical-ch',
  'nel',
  'origin-agent-cluster',
  'report-to',
  'reporting-endpoints',
  'service-worker-allowed',
  'set-cookie',
  'set-cookie2',
  'set-login',
  'strict-transport-security',
  // They have proxies send a file of theirs, or ask somebody else, in place of the answer.
  'x-accel-redirect',
  'x-lighttpd-send-file',
  'x-reproxy-url',
  'x-sendfile',
]);

/**
 * Whatever the resource sends is shown without scripts, in an origin of its own: it must not read our pages. Styles and
 * inline images stay, for browsers draw XML and JSON with them.
 */
const protection = {
  'content-security-policy':
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
} as const;

/** A URL of the resource as the client knows it; one that leads elsewhere stays what it is. */
const publicLocation = (location: string, upstream: Upstream): string => {
  const url = URL.parse(location, upstream.url + upstream.rest);
  if (url === null) return location;
  const home = new URL(upstream.url);
  const base = home.pathname.replace(/\/+$/, '');
  if (url.origin !== home.origin || !`${url.pathname}/`.startsWith(`${base}/`)) return location;
  return upstream.publicUrl + url.pathname.slice(base.length) + url.search + url.hash;
};

const named = (connection: string | undefined): ReadonlySet<string> =>
  new Set((connection ?? '').split(',').map((name) => name.trim().toLowerCase()));

/** The headers that the client gets. A header that came several times stays several, in the order in which they came. */
export const responseHeaders = (given: IncomingHttpHeaders, upstream: Upstream): IncomingHttpHeaders => {
  const ofConnection = named(given.connection);
  const kept = Object.entries(given).flatMap(([name, value]) => {
    if (value === undefined || withheld.has(name) || ofConnection.has(name)) return [];
    const isPlace = (name === 'location' || name === 'content-location') && typeof value === 'string';
    return [[name, isPlace ? publicLocation(value, upstream) : value] as const];
  });
  return { ...Object.fromEntries(kept), ...protection };
};
