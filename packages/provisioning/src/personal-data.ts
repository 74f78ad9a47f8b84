import type { PersonalFields, Sealer } from '@grantlog/crypto';
import { openPersonal, sealPersonal } from '@grantlog/crypto';
import type { SealedFact } from '@grantlog/domain';
import type { PlatformId, StreamId } from '@grantlog/eventsourcing';

type Subject = { readonly platform: PlatformId; readonly subject: StreamId };

const associated = ({ platform, subject }: Subject): string => `data_key ${platform} ${subject}`;

/** Wraps a subject's data key for its row; deleting that row erases what the key opens. */
export const sealDataKey = (sealer: Sealer, key: Subject & { readonly dataKey: Uint8Array }): Uint8Array =>
  sealer.seal(key.dataKey, associated(key));

/**
 * Personal data of a folded state in the clear, or `erased` when the subject's data key is gone.
 *
 * @throws SealBroken when the key row was sealed for another subject or under a secret this process does not have.
 */
export const readPersonal = (
  sealer: Sealer,
  fact: {
    readonly platform: PlatformId;
    readonly subject: StreamId;
    readonly wrappedKey: Uint8Array | null;
    readonly personal: SealedFact | null;
  },
): PersonalFields | 'erased' => {
  if (fact.wrappedKey === null || fact.personal === null) return 'erased';
  return openPersonal({
    dataKey: sealer.open(fact.wrappedKey, associated(fact)),
    platform: fact.platform,
    streamId: fact.personal.streamId,
    version: fact.personal.version,
    sealed: Uint8Array.fromBase64(fact.personal.sealed),
  });
};

/**
 * Seals personal data of a subject for one event of any stream, under the subject's wrapped data key.
 *
 * @throws SealBroken when the key row was sealed for another subject or under a secret this process does not have.
 */
export const sealPersonalOf = (
  sealer: Sealer,
  fact: Subject & {
    readonly wrappedKey: Uint8Array;
    /** Where the event will stand: the data opens at no other place. */
    readonly streamId: StreamId;
    readonly version: number;
    readonly fields: PersonalFields;
  },
): Uint8Array => {
  const { platform, streamId, version, fields } = fact;
  return sealPersonal({ dataKey: sealer.open(fact.wrappedKey, associated(fact)), platform, streamId, version, fields });
};
