import type { PersonalFields, Sealer } from '@grantlog/crypto';
import { openPersonal } from '@grantlog/crypto';
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
