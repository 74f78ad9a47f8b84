import type { Egress } from '@grantlog/egress';
import { createDocumentCache, type DocumentCache } from './cached-document.ts';
import { type MetadataDocument, readMetadataDocument } from './read-metadata-document.ts';

/** Descriptions of clients at their `client_id`. */
export type MetadataDocuments = DocumentCache<MetadataDocument>;

/**
 * Makes the cache of client id metadata documents. A minute at least, since one page load asks several times; a day at most,
 * since what a site takes out of its document is to be gone. Documents in the field have about 1 KB.
 *
 * @see draft-ietf-oauth-client-id-metadata-document §4.1, §4.4
 */
export const createMetadataDocuments = (options: {
  readonly egress: Pick<Egress, 'request'>;
  readonly now?: () => number;
}): MetadataDocuments =>
  createDocumentCache({
    ...options,
    read: readMetadataDocument,
    floorSeconds: 60,
    ceilingSeconds: 86_400,
    maxEntries: 1_000,
    maxBytes: 10_240,
  });
