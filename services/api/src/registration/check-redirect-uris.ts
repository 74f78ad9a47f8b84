import type { ApplicationType, CompatibilitySwitches } from '@grantlog/domain';
import { OAuthError, parseRedirectUri, shownRedirectUri } from '@grantlog/protocol';

const refuse = (uri: string, why: string): OAuthError =>
  new OAuthError('invalid_redirect_uri', { description: `${shownRedirectUri(uri)} cannot be registered: ${why}`, reason: why });

const judge = (uri: string, applicationType: ApplicationType, switches: CompatibilitySwitches): string | null => {
  const { kind } = parseRedirectUri(uri);
  if (kind === 'https' || (kind === 'loopback' && switches.httpLoopbackRedirects)) return null;
  if (switches.httpsRedirectsOnly) return 'this platform sends answers to https addresses only';
  if (applicationType === 'native') return null;
  return 'application_type web means https addresses only; an app on a device registers with application_type native, or without the member';
};

/**
 * Holds redirect URIs, whose syntax has been judged, against what the client says it is and what the platform takes. An
 * app may have all three sorts at once, as editors do that run as a site as well.
 *
 * @throws OAuthError `invalid_redirect_uri` naming the first that is refused.
 * @see RFC 8252 §7; OIDC Dynamic Client Registration §2 (`application_type`)
 */
export const checkOwnRedirectUris = (
  uris: readonly string[],
  of: { readonly applicationType: ApplicationType; readonly switches: CompatibilitySwitches },
): void => {
  for (const uri of uris) {
    const why = judge(uri, of.applicationType, of.switches);
    if (why !== null) throw refuse(uri, why);
  }
};
