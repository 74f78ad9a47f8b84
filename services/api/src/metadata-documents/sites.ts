import type { ClientRecord, MetadataDocumentRules, PlatformDocument } from '@grantlog/domain';
import { parseClientId } from '@grantlog/protocol';

/** Whether a host is one of the patterns: itself, or below it for `*.host`, which leaves the host itself out. */
const isAmong = (host: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => (pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : host === pattern));

/** Whether a platform takes clients that are described at this host. */
export const takesSite = ({ allow, deny }: MetadataDocumentRules, host: string): boolean =>
  !isAmong(host, deny) && (allow.length === 0 || isAmong(host, allow));

/** Whether the operator vouches for the clients that are described at this host. */
export const vouchesFor = ({ trusted }: MetadataDocumentRules, host: string): boolean => isAmong(host, trusted);

/** Whether a client may go on, as far as its site is concerned: an operator who closes the platform to a site is heard at the next token. */
export const takesClient = (
  { registration }: Pick<PlatformDocument, 'registration'>,
  client: Pick<ClientRecord, 'how' | 'clientId'>,
): boolean => {
  if (client.how !== 'metadata_document') return true;
  const parsed = parseClientId(client.clientId);
  return parsed.kind === 'url' && takesSite(registration.metadataDocuments, parsed.host);
};
