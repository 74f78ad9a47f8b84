import { splitUri } from './uri-syntax.ts';

/** What a redirect URI turns out to be at registration. `host` is what a consent page shows; a private-use scheme is its own host. */
export type ParsedRedirectUri =
  | { readonly kind: 'https' | 'loopback' | 'private_use'; readonly uri: string; readonly host: string }
  | { readonly kind: 'refused'; readonly why: string };

const maxLength = 2_048;
const loopbackHosts: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost']);

/** Schemes that a browser or a system acts on itself: they run content, read files or open another protocol. */
const refusedSchemes: ReadonlySet<string> = new Set([
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

/** Parameters that the response adds; a registered copy would make them ambiguous. */
const responseParameters: readonly string[] = ['code', 'error', 'error_description', 'iss', 'state'];

const refuse = (why: string): ParsedRedirectUri => ({ kind: 'refused', why });

const dotSegment = /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i;

const hostForm = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])$/;

const checkAuthority = (uri: string, authority: string): { readonly host: string } | { readonly why: string } => {
  if (!URL.canParse(uri)) return { why: 'it is not a valid URL' };
  const host = new URL(uri).hostname;
  const written = authority.replace(/:\d*$/, '').toLowerCase();
  // A host that only becomes itself by normalisation (%65, 0x7f.1) is not what a person reads on the consent page.
  // And what is no host name at all (`;`, `,`, `'`, `*`) could say something else where it is repeated.
  if (host !== written || !hostForm.test(host)) return { why: 'its host must be written plainly, without wildcards or escapes' };
  if (authority.endsWith(':')) return { why: 'its port is empty' };
  return { host };
};

/**
 * Judges a redirect URI at registration.
 *
 * Accepts https, http on loopback (`127.0.0.1`, `[::1]`, `localhost`), and private-use schemes.
 * `why` is fixed text that completes "the redirect URI is refused because …".
 *
 * @see RFC 6749 §3.1.2; RFC 8252 §7; RFC 9700 §2.1
 */
export const parseRedirectUri = (uri: string): ParsedRedirectUri => {
  if (uri.length > maxLength) return refuse(`it is longer than ${maxLength} characters`);
  const parts = splitUri(uri);
  if (parts === null) return refuse('it is not an absolute URI, or contains characters that a URI does not allow');
  if (parts.fragment !== null) return refuse('it has a fragment');
  if (parts.authority?.includes('@')) return refuse('it contains a user name or password');
  if (refusedSchemes.has(parts.scheme)) return refuse(`the scheme ${parts.scheme} is not allowed`);
  if (dotSegment.test(parts.path)) return refuse('its path contains dot segments');
  const names = new URLSearchParams(parts.query ?? '');
  const taken = responseParameters.find((name) => names.has(name));
  if (taken !== undefined) return refuse(`its query already contains ${taken}`);

  if (parts.scheme !== 'https' && parts.scheme !== 'http') {
    if (parts.authority === '' && parts.path === '') return refuse('nothing follows its scheme');
    if (parts.authority === null && parts.path === '') return refuse('nothing follows its scheme');
    return { kind: 'private_use', uri, host: parts.scheme };
  }
  if (parts.authority === null || parts.authority === '') return refuse('it has no host');
  const checked = checkAuthority(uri, parts.authority);
  if ('why' in checked) return refuse(checked.why);
  if (parts.scheme === 'https') return { kind: 'https', uri, host: checked.host };
  if (loopbackHosts.has(checked.host)) return { kind: 'loopback', uri, host: checked.host };
  return refuse('http is only allowed on 127.0.0.1, [::1] and localhost');
};

/**
 * A refused redirect URI as its refusal names it: without userinfo, query and fragment, where somebody may have left a
 * secret, and no longer than 200 characters.
 */
export const shownRedirectUri = (uri: string): string => {
  const shown = uri.replace(/[?#].*$/s, '').replace(/^([^/]*\/\/)[^/]*@/, '$1');
  return shown.length > 200 ? `${shown.slice(0, 200)}...` : shown;
};

const loopback = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost))(?::([0-9]{1,5}))?((?:[/?].*)?)$/s;

const isPort = (digits: string): boolean => Number(digits) >= 1 && Number(digits) <= 65_535;

/**
 * Compares a presented redirect URI with a registered one: byte for byte, except that the port of a
 * loopback URI may vary, because a native app gets its port from the system when it starts to listen.
 *
 * @see RFC 9700 §2.1; RFC 8252 §7.3
 */
export const matchRedirectUri = (registered: string, presented: string): boolean => {
  if (registered === presented) return true;
  const [, registeredHost, , registeredRest] = loopback.exec(registered) ?? [];
  const [, presentedHost, port, presentedRest] = loopback.exec(presented) ?? [];
  if (registeredHost === undefined || presentedHost === undefined) return false;
  return registeredHost === presentedHost && registeredRest === presentedRest && (port === undefined || isPort(port));
};

/**
 * Appends parameters to a redirect URI and leaves its own bytes as they are. Undefined parameters are left out.
 *
 * @see RFC 6749 §3.1.2, §4.1.2
 */
export const redirectWith = (uri: string, parameters: Readonly<Record<string, string | undefined>>): string => {
  const added = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) added.append(name, value);
  if (added.size === 0) return uri;
  const joint = !uri.includes('?') ? '?' : /[?&]$/.test(uri) ? '' : '&';
  return `${uri}${joint}${added}`;
};
