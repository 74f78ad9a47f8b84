/** The parts of a URI as they were written: nothing decoded, repaired or lower-cased. */
export type UriParts = {
  readonly scheme: string;
  /** What stands between `//` and the path; null where the URI has no `//`. */
  readonly authority: string | null;
  readonly path: string;
  /** Without the question mark; null where there is none. */
  readonly query: string | null;
  /** Without the hash; null where there is none. */
  readonly fragment: string | null;
};

const characters = /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/;
const parts = /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/;

/**
 * Splits an absolute URI without repairing it, or answers null where the text is none.
 *
 * The WHATWG parser silently drops tabs, turns backslashes into slashes and accepts `https:host`;
 * a comparison by bytes must not start from such a reading.
 *
 * @see RFC 3986 §2, §3 and appendix B
 */
export const splitUri = (text: string): UriParts | null => {
  if (!characters.test(text)) return null;
  const match = parts.exec(text);
  if (match === null) return null;
  const [, scheme = '', authority, path = '', query, fragment] = match;
  return { scheme: scheme.toLowerCase(), authority: authority ?? null, path, query: query ?? null, fragment: fragment ?? null };
};
