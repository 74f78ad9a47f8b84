import { canonicalJson } from './canonical-json.ts';
import { faultOfEvent, type StoredEvent } from './stored-event.ts';

/** Names what the other members mean, so that a later form can stand in the same tree. */
export const leafFormat = 'grantlog-event/1';

/**
 * The bytes of an event that the tree is made of: canonical JSON in UTF-8, with the names of the log's columns and `format`.
 *
 * @throws RangeError for a value that has no canonical form, a time not to the microsecond, a count below 1, a digest that is none.
 * @see RFC 8785
 */
export const leafOf = (event: StoredEvent): Uint8Array => {
  const fault = faultOfEvent(event);
  if (fault !== null) throw new RangeError(fault);
  // The members stand sorted here: sorting the same fourteen names for each event would cost more than the hash.
  const text =
    `{"actor":${canonicalJson(event.actor)},"causation_id":${canonicalJson(event.causationId)},` +
    `"commit_id":${canonicalJson(event.commitId)},"correlation_id":${canonicalJson(event.correlationId)},` +
    `"data":${canonicalJson(event.data)},"format":"${leafFormat}","personal_digest":${canonicalJson(event.personalDigest)},` +
    `"platform":${canonicalJson(event.platform)},"position":${event.position},"recorded_at":"${event.recordedAt}",` +
    `"schema_version":${event.schemaVersion},"stream_id":${canonicalJson(event.streamId)},` +
    `"type":${canonicalJson(event.type)},"version":${event.version}}`;
  return Buffer.from(text, 'utf8');
};
