import type { Sealer } from '@grantlog/crypto';
import type { AccountState } from '@grantlog/domain';
import type { LoadedStream, PlatformId } from '@grantlog/eventsourcing';
import { readPersonal } from './personal-data.ts';

/** One object of an account that a grant may be for: its id, and what its owner calls it. */
export type AccountContext = { readonly id: string; readonly name: string };

/**
 * The contexts of an account in their own order; none of one that is erased. Where the names cannot be read any more, the
 * ids stand for them.
 *
 * @param of.stream the account's, loaded with its secrets.
 * @throws SealBroken when the key row was sealed for another subject or under a secret this process does not have.
 */
export const readContexts = (
  sealer: Sealer,
  of: { readonly platform: PlatformId; readonly account: AccountState | null; readonly stream: LoadedStream },
): readonly AccountContext[] => {
  const { platform, account, stream } = of;
  if (account === null || !('contexts' in account) || account.contexts.ids.length === 0) return [];
  const { ids, personal } = account.contexts;
  const read = readPersonal(sealer, { platform, subject: stream.streamId, wrappedKey: stream.dataKey, personal });
  // A Map, because an id may be called like a member that every object has.
  const names = new Map(read === 'erased' ? [] : Object.entries(read));
  return ids.map((id) => ({ id, name: names.get(id) ?? id }));
};
