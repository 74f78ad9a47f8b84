import type { ClientRecord } from '@grantlog/domain';
import { matchRedirectUri, OAuthError } from '@grantlog/protocol';

/** Where the answer will go. `sent` is whether the request named it, so that the token request must as well. */
export type Destination = { readonly redirectUri: string; readonly sent: boolean };

/**
 * The redirect URI of an authorization request: exactly a registered one (a loopback port may vary). It may be left
 * out only where one is registered and OpenID Connect is not asked for.
 *
 * @throws OAuthError shown on a page: an unproved redirect URI is never redirected to (RFC 9700 §4.11).
 * @see RFC 6749 §3.1.2, RFC 9700 §2.1, OIDC Core §3.1.2.1
 */
export const checkRedirectUri = (client: ClientRecord, presented: string | undefined, asksForOpenid: boolean): Destination => {
  const [only] = client.redirectUris;
  if (presented === undefined) {
    if (only === undefined || client.redirectUris.length !== 1 || asksForOpenid) {
      throw new OAuthError('invalid_request', { description: 'The app must say in redirect_uri where the answer goes' });
    }
    return { redirectUri: only, sent: false };
  }
  if (!client.redirectUris.some((registered) => matchRedirectUri(registered, presented))) {
    throw new OAuthError('invalid_request', { description: 'The redirect_uri is not one that the app has registered' });
  }
  return { redirectUri: presented, sent: true };
};
