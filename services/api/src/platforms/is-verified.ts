import type { ClientRecord, PlatformDocument } from '@grantlog/domain';
import { parseClientId } from '@grantlog/protocol';
import { vouchesFor } from '../metadata-documents/sites.ts';

/** Whether an operator of the platform answers for what a client says of itself: its name, and where answers go. */
export const isVerified = (
  document: Pick<PlatformDocument, 'registration'>,
  client: Pick<ClientRecord, 'how' | 'owner' | 'approval' | 'clientId'>,
): boolean => {
  switch (client.how) {
    case 'preset':
      return true;
    case 'portal':
      // Where operators approve nobody's clients, those of developers are approved as they come, whatever they are called.
      return client.approval === 'approved' && (client.owner === null || document.registration.policy.includes('approval'));
    case 'dynamic':
      return false;
    case 'metadata_document': {
      const parsed = parseClientId(client.clientId);
      return parsed.kind === 'url' && vouchesFor(document.registration.metadataDocuments, parsed.host);
    }
  }
};
