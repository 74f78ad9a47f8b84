import { OAuthError } from './oauth-error.ts';
import { splitUri } from './uri-syntax.ts';

/**
 * The canonical form under which resources are stored and compared: scheme and host in lower case,
 * and no slash where it is the whole path (clients add or drop it). Anything else keeps its bytes.
 *
 * Null where the text is no absolute URI, or has a fragment or a user name.
 *
 * @see RFC 8707 §2
 */
export const canonicalResource = (text: string): string | null => {
  const parts = splitUri(text);
  if (parts === null || parts.fragment !== null) return null;
  const query = parts.query === null ? '' : `?${parts.query}`;
  if (parts.authority === null) return parts.path === '' ? null : `${parts.scheme}:${parts.path}${query}`;
  if (parts.authority === '' || parts.authority.includes('@')) return null;
  return `${parts.scheme}://${parts.authority.toLowerCase()}${parts.path === '/' ? '' : parts.path}${query}`;
};

/**
 * Reads one `resource` parameter into its canonical form.
 *
 * @throws OAuthError `invalid_target`
 * @see RFC 8707 §2
 */
export const parseResourceIndicator = (text: string): string => {
  const canonical = canonicalResource(text);
  if (canonical === null) throw new OAuthError('invalid_target', { description: 'resource must be an absolute URI without a fragment' });
  return canonical;
};

/** Whether two texts name the same resource. Two malformed ones never do. */
export const sameResource = (one: string, other: string): boolean => {
  const canonical = canonicalResource(one);
  return canonical !== null && canonical === canonicalResource(other);
};
