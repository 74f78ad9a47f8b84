const unreserved = /[A-Za-z0-9\-._~]/;

/** One spelling of an escape: none where the character needs none, and its digits in upper case (RFC 3986 §6.2.2). */
const plainEscape = (written: string): string => {
  const character = String.fromCharCode(Number.parseInt(written.slice(1), 16));
  return unreserved.test(character) ? character : written.toUpperCase();
};

/**
 * The one spelling under which the target of a request is compared: scheme and host in lower case, no default port, no dot
 * segments, no escape that is not needed, and neither query nor fragment. Null for what is no http URL, or names a user.
 *
 * @see RFC 9449 §4.3; RFC 3986 §6.2.2, §6.2.3
 */
export const normalTarget = (text: string): string | null => {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') return null;
  return url.origin + url.pathname.replaceAll(/%[0-9a-f]{2}/gi, plainEscape);
};
