import type { ClientRecord, PlatformDocument } from '@grantlog/domain';
import type { ParsedRedirectUri } from '@grantlog/protocol';
import { parseClientId } from '@grantlog/protocol';
import { html, type SafeHtml } from '../http/html.ts';
import { isVerified } from '../platforms/is-verified.ts';

type Party = { readonly document: PlatformDocument; readonly client: ClientRecord };

/** How a client came to be, by whether an operator answers for it. */
const origins = {
  preset: ['set up by the operator of this platform', 'set up by the operator of this platform'],
  portal: ['registered by a developer and approved by an operator', 'registered by a developer; nobody has verified its name'],
  dynamic: ['registered by itself', 'registered by itself; nobody has verified its name'],
  metadata_document: ['a site that the operator of this platform trusts', 'described by its own website; nobody has verified its name'],
} as const satisfies Record<ClientRecord['how'], readonly [verified: string, unverified: string]>;

/** How a client came to be, in the words of the pages that ask about it. */
export const originOf = (party: Party): string => origins[party.client.how][isVerified(party.document, party.client) ? 0 : 1];

/** What a client calls itself, set apart from our own words: it may be words of ours, or turn the direction of what follows. */
export const namedAs = (name: string): SafeHtml => html`<strong><bdi>${name}</bdi></strong>`;

/**
 * Who asks, and how we know. Of a client that describes itself, the host of its `client_id` is what has been proved; its name
 * is its own claim.
 *
 * @see draft-ietf-oauth-client-id-metadata-document §6.4
 */
export const whoAsks = ({ document, client }: Party): SafeHtml => {
  const parsed = parseClientId(client.clientId);
  const origin = originOf({ document, client });
  if (client.how !== 'metadata_document' || parsed.kind !== 'url')
    return html`${namedAs(client.name)} (<code>${client.clientId}</code>), ${origin}`;
  return html`${namedAs(client.name)}, an app of <code>${parsed.host}</code> (<code>${client.clientId}</code>), ${origin}`;
};

/** What a person should know before they allow it: that any program may be asking, or that nobody answers for this one. */
export const warningOf = ({ document, client }: Party, destination: ParsedRedirectUri): SafeHtml | null => {
  if (destination.kind === 'loopback' || destination.kind === 'private_use')
    return html`<p class="notice">The answer goes to an app on this device, and any program here could ask in its name. Allow it only if you have just started this yourself.</p>`;
  if (isVerified(document, client)) return null;
  return html`<p class="notice">Nobody at ${document.branding.displayName} has verified this app. Allow it only if you began this yourself.</p>`;
};
