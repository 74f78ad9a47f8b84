import { redactUrl } from '@grantlog/runtime';

const decode = (text: string): string | null => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return null;
  }
};

/** One parameter; its value redacted as a URL where it is one with parameters of its own. */
const redactWithin = (pair: string): string => {
  const at = pair.indexOf('=');
  const value = at === -1 ? null : decode(pair.slice(at + 1));
  if (value === null || !/[?#]/.test(value)) return pair;
  const redacted = loggedUrl(value);
  return redacted === value ? pair : `${pair.slice(0, at + 1)}${encodeURIComponent(redacted)}`;
};

/**
 * A request's URL as the log shows it: secret parameters redacted, also those of URLs within it. Whoever mistakes a
 * callback for a redirect URI sends a code that way.
 */
export const loggedUrl = (url: string): string => {
  const [, before = '', query, fragment] = /^([^?#]*)(?:\?([^#]*))?(#.*)?$/s.exec(url) ?? [];
  return redactUrl(`${before}${query === undefined ? '' : `?${query.split('&').map(redactWithin).join('&')}`}${fragment ?? ''}`);
};
