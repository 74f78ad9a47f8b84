import type { ClientState, PlatformDocument } from '@grantlog/domain';
import { redirectWith } from '@grantlog/protocol';
import { isVerified } from '../platforms/is-verified.ts';
import type { LogoutRequest } from './logout-request.ts';

/** Where people go once they are signed out. */
export type ReturnAddress =
  | { readonly kind: 'none' }
  /** Asked for by nobody that we know, so it is not gone to. */
  | { readonly kind: 'nameless' }
  | {
      readonly kind: 'registered';
      readonly url: string;
      /** What the app calls itself. */
      readonly name: string;
      /** Whether an operator answers for the app, so that people may be sent there without a word. */
      readonly verified: boolean;
    }
  | { readonly kind: 'refused'; readonly description: string };

/**
 * The return address of a logout: what the app has registered, byte for byte, and nothing else.
 *
 * @param client the one of the request's `clientId`; null where that is null.
 * @see OIDC RP-Initiated Logout 1.0 §3
 */
export const returnAddressOf = (
  { redirectUri, state }: Pick<LogoutRequest, 'redirectUri' | 'state'>,
  { document, client }: { readonly document: PlatformDocument; readonly client: ClientState | null },
): ReturnAddress => {
  if (redirectUri === null) return { kind: 'none' };
  if (client === null) return { kind: 'nameless' };
  if (client.status !== 'active')
    return {
      kind: 'refused',
      description: 'The app that wants to sign you out is not known here, or not any more: remove it, or ask its makers',
    };
  if (!client.postLogoutRedirectUris.includes(redirectUri))
    return {
      kind: 'refused',
      description: 'post_logout_redirect_uri is not one that this app has registered; it has to be the same, character for character',
    };
  return {
    kind: 'registered',
    url: redirectWith(redirectUri, { state: state ?? undefined }),
    name: client.name,
    verified: isVerified(document, client),
  };
};
