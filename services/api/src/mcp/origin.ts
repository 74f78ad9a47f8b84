const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname) || hostname.endsWith('.localhost');

/**
 * Whether a page of this origin may speak to the MCP server; without one it was no page.
 *
 * Nothing here rides on a browser's cookies, so pages of any origin may come where everybody may. A server on loopback is
 * its user's own and hears loopback pages alone. Everywhere a page is refused that takes our address for its own host:
 * its name was rebound to us.
 *
 * @see MCP 2026-07-28 Transports, security warning
 */
export const isAcceptedOrigin = (from: {
  readonly origin: string | undefined;
  readonly host: string | undefined;
  readonly issuer: string;
}): boolean => {
  const { origin, host, issuer } = from;
  if (origin === undefined) return true;
  const own = new URL(issuer);
  const page = URL.parse(origin);
  if (isLoopback(own.hostname)) return page !== null && isLoopback(page.hostname);
  // The origin of sandboxed frames and of files, which no name can be rebound to.
  if (page === null) return origin === 'null';
  return page.origin === own.origin || page.host !== (host ?? '').toLowerCase();
};
