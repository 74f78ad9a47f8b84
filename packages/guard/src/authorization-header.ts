import { readAccessToken, type TokenScheme } from '@grantlog/protocol';

/** What the Authorization header of a request shows. Another scheme shows nothing that a guard could judge. */
export type ShownCredentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly scheme: TokenScheme; readonly token: string }
  /** Not of the form `Bearer <token>` at all: RFC 6750 §3.1 calls that an invalid request. */
  | { readonly kind: 'malformed_request'; readonly scheme: TokenScheme }
  /** One token, of a spelling that no token has: RFC 6750 §3.1 calls that an invalid token. */
  | { readonly kind: 'malformed_token'; readonly scheme: TokenScheme }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'malformed_basic' };

const maxBasicLength = 4_096;
/** What a parameter of the authorization server may have: more would be refused as a fault of ours. */
const maxLength = 2_048;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what RFC 7617 §2 forbids
const control = /[\x00-\x1f\x7f]/;

const readBasic = (header: string): ShownCredentials => {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header)?.[1];
  if (encoded === undefined || header.length > maxBasicLength) return { kind: 'malformed_basic' };
  let pair: string;
  try {
    pair = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(encoded, 'base64'));
  } catch {
    return { kind: 'malformed_basic' };
  }
  const colon = pair.indexOf(':');
  const username = pair.slice(0, colon);
  const password = pair.slice(colon + 1);
  if (colon < 1 || password === '' || control.test(pair)) return { kind: 'malformed_basic' };
  if (username.length > maxLength || password.length > maxLength) return { kind: 'malformed_basic' };
  return { kind: 'basic', username, password };
};

/**
 * Reads credentials from the Authorization header, the only place where any are accepted. Of several headers none is
 * chosen: whatever stands before us may have looked at another.
 *
 * @see RFC 6750 §2.1, §3.1; RFC 9449 §7.1; RFC 7617 §2
 */
export const readAuthorization = (headers: string | readonly string[] | undefined): ShownCredentials => {
  const [header, ...others] = headers === undefined ? [] : [headers].flat();
  if (header === undefined) return { kind: 'none' };
  if (others.length > 0) return { kind: 'malformed_request', scheme: 'Bearer' };
  if (/^basic(?: |$)/i.test(header)) return readBasic(header);
  const shown = readAccessToken(header);
  switch (shown.kind) {
    case 'absent':
      return { kind: 'none' };
    case 'token':
      return shown;
    case 'malformed':
      return { kind: /^[a-z]+ +[^\s,"]+$/i.test(header) ? 'malformed_token' : 'malformed_request', scheme: shown.scheme };
  }
};
