import type { BasicCredentials } from './authenticate-basic.ts';

const longestHeader = 8_192;

/**
 * Reads an account's name and password from an Authorization header, in UTF-8, as the challenge asks for.
 *
 * @returns null where the header is absent or of another scheme, `malformed` where it is Basic and cannot be read.
 * @see RFC 7617 §2, §2.1
 */
export const readBasicCredentials = (authorization: string | undefined): BasicCredentials | 'malformed' | null => {
  if (authorization === undefined || !/^basic(?: |$)/i.test(authorization)) return null;
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1];
  if (encoded === undefined || encoded.length > longestHeader) return 'malformed';
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.fromBase64(encoded));
    const colon = text.indexOf(':');
    // A name or password with a control character was never typed (RFC 7617 §2).
    if (colon < 1 || /\p{Cc}/u.test(text)) return 'malformed';
    return { username: text.slice(0, colon), password: text.slice(colon + 1) };
  } catch {
    return 'malformed';
  }
};
