/** Headers that belong to the connection or to this client; a second copy of one is request smuggling. */
const reserved: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const nameSyntax = /^[a-z0-9!#$%&'*+\-.^_`|~]+$/;
const valueSyntax = /^[\t\x20-\x7e]*$/;
const maxValueLength = 8_192;

/**
 * The headers to send, in lower case, with `accept-encoding: identity`: a response is never unpacked, so it cannot be a bomb.
 * Null where a name is reserved, malformed or given twice in different case, or a value could split the header.
 */
export const requestHeaders = (given: Readonly<Record<string, string>>): Readonly<Record<string, string>> | null => {
  const headers = new Map<string, string>([['accept-encoding', 'identity']]);
  for (const [spelled, value] of Object.entries(given)) {
    const name = spelled.toLowerCase();
    if (!nameSyntax.test(name) || reserved.has(name) || name.startsWith('proxy-') || headers.has(name)) return null;
    if (!valueSyntax.test(value) || value.length > maxValueLength) return null;
    headers.set(name, value);
  }
  return Object.fromEntries(headers);
};
