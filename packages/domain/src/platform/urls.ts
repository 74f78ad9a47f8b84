/** Whether a host, as `URL` spells it, can only be this machine: `localhost`, 127.0.0.0/8 or `[::1]`. */
export const isLoopbackHost = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);

/** An absolute https URL, or plain http on loopback; no userinfo, no fragment. Null for anything else. */
export const parseWebUrl = (text: string): URL | null => {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '' || text.includes('#')) return null;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname)) ? url : null;
};

/** Schemes that a browser or a system acts on itself instead of opening an app; a redirect to them is an attack. */
const hostileSchemes: ReadonlySet<string> = new Set([
  'about',
  'blob',
  'chrome',
  'content',
  'data',
  'file',
  'filesystem',
  'ftp',
  'intent',
  'jar',
  'javascript',
  'livescript',
  'mailto',
  'mocha',
  'res',
  'resource',
  'sms',
  'tel',
  'vbscript',
  'view-source',
  'ws',
  'wss',
]);

const longestRedirectUri = 2_048;
const uriCharacters = /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/;
/** Scheme, authority, path and query as they were written; a fragment fits nowhere. `URL` would repair what a comparison must not. */
const uriParts = /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?$/;
const dotSegment = /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i;
const plainHost = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])$/;
const loopbackHosts: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost']);
/** What the authorization response adds; a registered copy would make it ambiguous. */
const responseParameters: readonly string[] = ['code', 'error', 'error_description', 'iss', 'state'];

/** The host of an http or https URI, or null for one that is not written as `URL` reads it. */
const hostOf = (uri: string, authority: string): string | null => {
  const host = URL.parse(uri)?.hostname;
  const written = authority.replace(/:\d+$/, '').toLowerCase();
  return host === written && plainHost.test(written) ? written : null;
};

/**
 * Whether this may be a registered redirect URI: https, plain http on `127.0.0.1`, `[::1]` or `localhost`, or an app's
 * own scheme; absolute, at most 2,048 ASCII characters, no fragment, userinfo, dot segments or parameters of the
 * response.
 *
 * The rules are those of `parseRedirectUri` in packages/protocol, which has words for each. They are here once more because
 * the domain knows nothing of the wire; services/api, which knows both, proves by a property test that they agree.
 *
 * @see RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.1
 */
export const isRedirectUri = (text: string): boolean => {
  if (text.length > longestRedirectUri || !uriCharacters.test(text)) return false;
  const [matched, scheme = '', authority = '', path = '', query = ''] = uriParts.exec(text) ?? [];
  if (matched === undefined || authority.includes('@') || dotSegment.test(path)) return false;
  const parameters = new URLSearchParams(query);
  if (responseParameters.some((name) => parameters.has(name))) return false;
  const protocol = scheme.toLowerCase();
  if (protocol !== 'https' && protocol !== 'http') return !hostileSchemes.has(protocol) && authority + path !== '';
  const host = hostOf(text, authority);
  return host !== null && (protocol === 'https' || loopbackHosts.has(host));
};
