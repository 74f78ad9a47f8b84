import type { ClientKind, DocumentProblem, PlatformDocument } from '@grantlog/domain';
import { parseRedirectUri } from '@grantlog/protocol';
import { invalidContents } from '../json-api/validate.ts';

/**
 * Judges the redirect URIs of a registration. A public client is a native app and may listen on plain http loopback
 * (RFC 8252 §7.3); a confidential one runs on a server, and may only where the platform switches it on. A platform of
 * https alone takes no other scheme from anybody, and loopback from nobody unless it switches that on as well.
 *
 * @throws ProblemError with every URI that is refused.
 */
export const checkRedirectUris = (
  uris: readonly string[],
  of: { readonly kind: ClientKind; readonly document: PlatformDocument },
): void => {
  const problems = uris.flatMap((uri, index): readonly DocumentProblem[] => {
    const path = `redirectUris[${index}]`;
    if (uris.indexOf(uri) !== index) return [{ path, problem: 'is there twice', fix: 'List each one once.' }];
    const parsed = parseRedirectUri(uri);
    if (parsed.kind === 'refused')
      return [{ path, problem: `is refused because ${parsed.why}`, fix: 'Register the URI that the client really uses.' }];
    const { httpsRedirectsOnly, httpLoopbackRedirects } = of.document.switches;
    if (httpsRedirectsOnly && parsed.kind !== 'https' && !(parsed.kind === 'loopback' && httpLoopbackRedirects)) {
      return [{ path, problem: 'is not https, and this platform takes nothing else', fix: 'Register an https URI of your application.' }];
    }
    if (parsed.kind !== 'loopback' || of.kind === 'public' || httpLoopbackRedirects) return [];
    return [
      {
        path,
        problem: 'is plain http on loopback, which is for public clients',
        fix: 'Use https, register a public client, or set switches.httpLoopbackRedirects in the platform document.',
      },
    ];
  });
  if (problems.length > 0) throw invalidContents('list of redirect URIs', problems);
};
