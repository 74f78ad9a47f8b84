import { OAuthError } from './oauth-error.ts';

/** NQCHAR of RFC 6749 appendix A: printable ASCII without space, quote and backslash. */
const token = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
const maxTokens = 100;

/** Whether a text is one scope as RFC 6749 §3.3 allows it. */
export const isScopeToken = (text: string): boolean => token.test(text);

/**
 * Parses a space-delimited scope into its tokens, without duplicates, in the order sent; empty where omitted.
 *
 * Surplus spaces are tolerated, any other white space is not. Which scopes exist is the platform's business.
 *
 * @throws OAuthError `invalid_scope`
 * @see RFC 6749 §3.3
 */
export const parseScope = (text: string | undefined): readonly string[] => {
  const tokens = [...new Set((text ?? '').split(' ').filter((each) => each !== ''))];
  if (tokens.length > maxTokens) throw new OAuthError('invalid_scope', { description: `scope has more than ${maxTokens} values` });
  if (!tokens.every(isScopeToken)) throw new OAuthError('invalid_scope', { description: 'scope contains characters that are not allowed' });
  return tokens;
};

/** The wire form of a list of scopes. */
export const formatScope = (scopes: readonly string[]): string => scopes.join(' ');

/** Whether every scope of `inner` is among `outer`. */
export const isScopeSubset = (scopes: { readonly inner: readonly string[]; readonly outer: readonly string[] }): boolean => {
  const outer = new Set(scopes.outer);
  return scopes.inner.every((scope) => outer.has(scope));
};
