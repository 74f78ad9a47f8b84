import type { ClientRecord, PlatformDocument } from '@grantlog/domain';
import { matchRedirectUri, OAuthError, parseRedirectUri } from '@grantlog/protocol';

/** Where the answer will go. `sent` is whether the request named it, so that the token request must as well. */
export type Destination = { readonly redirectUri: string; readonly sent: boolean };

/** Whether the platform sends answers there at all, whatever a client has registered before the platform minded. */
export const takesRedirectUri = ({ switches }: Pick<PlatformDocument, 'switches'>, redirectUri: string): boolean => {
  if (!switches.httpsRedirectsOnly) return true;
  const { kind } = parseRedirectUri(redirectUri);
  return kind === 'https' || (kind === 'loopback' && switches.httpLoopbackRedirects);
};

const refuse = (description: string): OAuthError => new OAuthError('invalid_request', { description });

const unregistered = (presented: string): OAuthError => {
  const parsed = parseRedirectUri(presented);
  return refuse(
    parsed.kind === 'refused'
      ? `The redirect_uri cannot be used because ${parsed.why}`
      : 'The redirect_uri is not one that the app has registered, character by character',
  );
};

/**
 * The redirect URI of an authorization request: exactly a registered one (a loopback port may vary) that the platform
 * takes. It may be left out only where one is registered and OpenID Connect is not asked for.
 *
 * @throws OAuthError shown on a page: an unproved redirect URI is never redirected to (RFC 9700 §4.11).
 * @see RFC 6749 §3.1.2, RFC 9700 §2.1, OIDC Core §3.1.2.1
 */
export const checkRedirectUri = (
  { document, client }: { readonly document: PlatformDocument; readonly client: ClientRecord },
  presented: string | undefined,
  asksForOpenid: boolean,
): Destination => {
  const [only] = client.redirectUris;
  if (presented === undefined && (only === undefined || client.redirectUris.length !== 1 || asksForOpenid))
    throw refuse('The app must say in redirect_uri where the answer goes');
  const redirectUri = presented ?? only ?? '';
  if (!client.redirectUris.some((registered) => matchRedirectUri(registered, redirectUri))) throw unregistered(redirectUri);
  if (!takesRedirectUri(document, redirectUri))
    throw refuse('This platform sends answers to https addresses only, and the redirect_uri that the app has registered is none');
  return { redirectUri, sent: presented !== undefined };
};
