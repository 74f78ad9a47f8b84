import type { PlatformId } from '@grantlog/eventsourcing';
import {
  type AuditTree,
  insertAuditCheckpoint,
  readAuditCheckpoint,
  readAuditTree,
  readLineage,
  type Subscription,
  type SubscriptionBatch,
  type Transaction,
  writeAuditTree,
} from '@grantlog/postgres';
import { leavesOf, tileReaderOf } from '@grantlog/read-models';
import { emptyRoot, hashLeaf, type NoteSigner, openTree, signCheckpoint } from '@grantlog/transparency';

export type TreeContext = {
  /** The name of a new tree, for good: the first line of its checkpoints. */
  readonly originOf: (platform: PlatformId, lineage: string) => Promise<string>;
  readonly signerOf: (platform: PlatformId, origin: string) => Promise<NoteSigner>;
};

/** The log or its tree is not what was signed of it: going on would sign another history (C2SP tlog-checkpoint). */
class HistoryDiffers extends Error {
  override readonly name = 'HistoryDiffers';
}

const begin = async (client: Transaction, context: TreeContext, platform: PlatformId): Promise<AuditTree> => {
  const found = await readLineage(client, platform);
  if (found === null) throw new Error(`platform ${platform} has no log`);
  const { lineage, floor: base } = found;
  const signed = await readAuditCheckpoint(client, { platform, lineage });
  // What was signed names its tree: the first line of the note.
  const origin = signed === null ? await context.originOf(platform, lineage) : (signed.note.split('\n', 1)[0] ?? '');
  return { platform, lineage, origin, base, size: 0, root: emptyRoot() };
};

/** A leaf's place and its hash. */
type Leaf = { readonly position: number; readonly hash: Uint8Array };

/** The leaves of a batch in their order: of events that are archived by now the archive keeps the hashes. */
const leavesIn = ({ events, archived }: Pick<SubscriptionBatch, 'events' | 'archived'>): readonly Leaf[] => {
  const leaves = leavesOf(events).map((leaf, n) => ({ position: events[n]?.position ?? 0, hash: hashLeaf(leaf) }));
  return archived.length === 0 ? leaves : [...leaves, ...archived].sort((one, other) => one.position - other.position);
};

/** Adds leaves to a tree as it is stored, and writes what has changed. @throws HistoryDiffers */
const grow = async (client: Transaction, stored: AuditTree, leaves: readonly Leaf[]): Promise<AuditTree> => {
  const { platform, base } = stored;
  const first = leaves[0]?.position ?? base + stored.size + 1;
  if (first !== base + stored.size + 1)
    throw new HistoryDiffers(`the tree of ${platform} has ${stored.size} leaves, and position ${first} comes next`);
  const opening = await openTree({ size: stored.size, root: stored.root, readTile: tileReaderOf(client, stored) });
  if (opening.outcome === 'tiles_differ') throw new HistoryDiffers(`the tiles of ${platform} are not those of its tree`);
  const { tree } = opening;
  const tiles = tree.append(leaves.map(({ hash }) => hash));
  const grown = { ...stored, size: tree.size(), root: tree.root() };
  await writeAuditTree(client, grown, tiles);
  return grown;
};

/**
 * Keeps the tree over every platform's log, and signs it after each batch: tiles, root and signature are kept together, before anybody
 * is shown them. A tree that is made anew has to come out as it was signed, or this stops, loudly, and signs nothing more.
 */
export const createAuditTree = (context: TreeContext): Subscription => ({
  name: 'audit-tree',
  batchLimit: 5_000,
  takesArchived: true,
  handle: async (client, batch) => {
    const { platform } = batch;
    const leaves = leavesIn(batch);
    const before = (await readAuditTree(client, platform)) ?? (await begin(client, context, platform));
    const { lineage, base } = before;
    const signed = await readAuditCheckpoint(client, { platform, lineage });
    const again = leaves.filter(({ position }) => signed !== null && position <= base + signed.size);
    const known = again.length === 0 ? before : await grow(client, before, again);
    if (signed !== null && known.size === signed.size && Buffer.compare(known.root, signed.root) !== 0)
      throw new HistoryDiffers(`the first ${signed.size} events of ${platform} are not those that were signed`);
    const news = leaves.slice(again.length);
    if (news.length === 0) return;
    const grown = await grow(client, known, news);
    const { origin, size, root } = grown;
    const note = signCheckpoint({ origin, size, root }, await context.signerOf(platform, origin));
    await insertAuditCheckpoint(client, { platform, lineage }, { size, root, note });
  },
});
