import { SealBroken } from '@grantlog/crypto';
import type { StreamId } from '@grantlog/eventsourcing';
import { type Provisioning, readPersonal } from '@grantlog/provisioning';
import type { FiledEvent } from './read-file.ts';

/** What is sealed in an event in the clear; `erased` where no key is left, `sealed` where none at hand fits, null where the file has none. */
export type OpenedPart = object | 'erased' | 'sealed' | null;

/** Wrapped keys that are kept at hand. */
const most = 1_000;

/**
 * Opens what is personal in events of a file, by the data keys that the database still has: of the account that an event concerns, or
 * of the session.
 */
export const createOpener = ({ log, sealer }: Pick<Provisioning, 'log' | 'sealer'>) => {
  const keys = new Map<string, Uint8Array | null>();
  const keyOf = async ({ platform }: FiledEvent, subject: StreamId): Promise<Uint8Array | null> => {
    const name = `${platform} ${subject}`;
    const known = keys.get(name);
    if (known !== undefined) return known;
    const { dataKey } = (await log.load(platform, [{ streamId: subject, withSecrets: true }])).stream(subject);
    if (keys.size >= most) keys.clear();
    keys.set(name, dataKey);
    return dataKey;
  };
  return async (event: FiledEvent, subjects: readonly (StreamId | null)[]): Promise<OpenedPart> => {
    const { platform, streamId, version, personal } = event;
    if (personal === null) return null;
    const sealed = { sealed: Buffer.from(personal).toString('base64'), streamId, version };
    let isAnyLeft = false;
    for (const subject of new Set(subjects)) {
      const wrappedKey = subject === null ? null : await keyOf(event, subject);
      if (subject === null || wrappedKey === null) continue;
      isAnyLeft = true;
      try {
        return readPersonal(sealer, { platform, subject, wrappedKey, personal: sealed });
      } catch (error) {
        // Sealed for another of them, or the key under another secret.
        if (!(error instanceof SealBroken)) throw error;
      }
    }
    return isAnyLeft ? 'sealed' : 'erased';
  };
};
