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

const nameSyntax = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/;
const valueSyntax = /^[\t\x20-\x7e]*$/;
const maxNameLength = 256;
const maxValueLength = 8_192;

type Problem = 'name' | 'long_name' | 'reserved' | 'value' | 'long_value';

const words = {
  name: "The name of a header consists of letters, digits and !#$%&'*+-.^_`|~",
  long_name: `The name of a header has at most ${maxNameLength} characters`,
  reserved: 'This header belongs to the connection and cannot be chosen',
  value: 'The value of a header consists of printable ASCII characters, spaces and tabs',
  long_value: `The value of a header has at most ${maxValueLength} characters`,
} satisfies Record<Problem, string>;

const problemOf = (spelled: string, value: string): Problem | null => {
  if (spelled.length > maxNameLength) return 'long_name';
  // Before anything is lowered: there are letters beyond ASCII whose lower case is within it.
  if (!nameSyntax.test(spelled)) return 'name';
  const name = spelled.toLowerCase();
  if (reserved.has(name) || name.startsWith('proxy-')) return 'reserved';
  if (value.length > maxValueLength) return 'long_value';
  return valueSyntax.test(value) ? null : 'value';
};

/**
 * Says in words why a request with this header would not be sent, for the moment at which the header is configured; null
 * where nothing is wrong with it. Which of the headers left are a caller's own (`authorization`, `webhook-id`), the caller
 * knows; that names which differ in case alone are one header, too.
 *
 * @see RFC 9110 §5.1, §5.5
 */
export const headerProblem = (header: { readonly name: string; readonly value: string }): string | null => {
  const problem = problemOf(header.name, header.value);
  return problem === null ? null : words[problem];
};

/**
 * The headers to send, name and value in turn, names in lower case, with `accept-encoding: identity`: a response is never
 * unpacked, so it cannot be a bomb. Null where a name is reserved, malformed or given twice in different case, or a value
 * could split the header.
 */
export const requestHeaders = (given: Readonly<Record<string, string>>): string[] | null => {
  const headers = ['accept-encoding', 'identity'];
  const names = new Set<string>();
  for (const spelled of Object.keys(given)) {
    const value = given[spelled] ?? '';
    const name = spelled.toLowerCase();
    if (problemOf(spelled, value) !== null || names.has(name)) return null;
    names.add(name);
    headers.push(name, value);
  }
  return headers;
};
