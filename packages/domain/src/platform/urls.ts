/** Whether a host, as `URL` spells it, can only be this machine: `localhost`, 127.0.0.0/8 or `[::1]`. */
export const isLoopbackHost = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);

/** An absolute https URL, or plain http on loopback; no userinfo, no fragment. Null for anything else. */
export const parseWebUrl = (text: string): URL | null => {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '' || text.includes('#')) return null;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname)) ? url : null;
};

/** Schemes that run, read or embed something instead of opening an app; a redirect to them is an attack. */
const hostileSchemes = new Set([
  'about:',
  'blob:',
  'data:',
  'file:',
  'filesystem:',
  'ftp:',
  'javascript:',
  'vbscript:',
  'view-source:',
  'ws:',
  'wss:',
]);

/**
 * Whether this may be a registered redirect URI: https, plain http on loopback, or an app's own scheme; absolute, no
 * fragment, no userinfo.
 *
 * @see RFC 6749 §3.1.2, RFC 8252 §7
 */
export const isRedirectUri = (text: string): boolean => {
  const url = URL.parse(text);
  if (url === null || text.includes('#')) return false;
  if (url.protocol === 'https:' || url.protocol === 'http:') return parseWebUrl(text) !== null;
  return !hostileSchemes.has(url.protocol) && url.username === '' && url.password === '';
};
