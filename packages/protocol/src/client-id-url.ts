import { splitUri } from './uri-syntax.ts';

/** What a `client_id` is: the URL of a document that describes the client, a name that was registered, or a URL that cannot be one. */
export type ParsedClientId =
  | {
      readonly kind: 'url';
      readonly url: string;
      /** As a consent page shows it: without the port. */
      readonly host: string;
    }
  | { readonly kind: 'name' }
  | { readonly kind: 'refused'; readonly why: string };

/** Characters that a `client_id` may have where it is a URL. */
export const longestClientId = 500;
const urlLike = /^https?:/i;
const dotSegment = /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i;

const refuse = (why: string): ParsedClientId => ({ kind: 'refused', why });

/**
 * Judges a `client_id` as the URL of a client id metadata document. The URL is compared byte for byte, so every spelling that
 * a parser would repair (upper case, a default port, an escape in the host) is refused rather than repaired.
 *
 * `why` is fixed text that completes "the client_id cannot be used because …".
 *
 * @see draft-ietf-oauth-client-id-metadata-document §3
 */
export const parseClientId = (clientId: string): ParsedClientId => {
  if (!urlLike.test(clientId)) return { kind: 'name' };
  if (clientId.length > longestClientId) return refuse(`it is longer than ${longestClientId} characters`);
  const parts = splitUri(clientId);
  if (parts === null) return refuse('it contains characters that a URL does not allow');
  if (parts.scheme !== 'https') return refuse('a client_id that is a URL must be https');
  if (parts.fragment !== null) return refuse('it has a fragment');
  if (parts.authority === null || parts.authority === '') return refuse('it has no host');
  if (parts.authority.includes('@')) return refuse('it contains a user name or password');
  if (dotSegment.test(parts.path)) return refuse('its path contains dot segments');
  if (parts.path === '' || parts.path === '/') return refuse('it has no path');
  const url = URL.parse(clientId);
  if (url === null || url.href !== clientId)
    return refuse('it is not in its normal form: lower-case scheme and host, no default port, nothing that a parser would repair');
  if (url.hostname.endsWith('.')) return refuse('its host ends in a dot');
  return { kind: 'url', url: clientId, host: url.hostname };
};
