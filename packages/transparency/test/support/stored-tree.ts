import { type ChangedTile, emptyRoot, type GrowingTree, hashLeaf, openTree, type TileReader } from '../../src/index.ts';

export const leafHashes = (count: number): readonly Uint8Array[] =>
  Array.from({ length: count }, (_, at) => Uint8Array.from(hashLeaf(Buffer.from(`leaf-${at}`))));

/** A store as a database would be: one row a level and index, in which a partial tile grows. */
export type StoredTree = {
  readonly size: number;
  readonly root: Uint8Array;
  readonly readTile: TileReader;
  readonly rows: Map<string, Uint8Array>;
  /** Which rows were read, in their order. */
  readonly read: string[];
};

const keyOf = ({ level, index }: { readonly level: number; readonly index: number }): string => `${level}/${index}`;

const store = (rows: Map<string, Uint8Array>, tiles: readonly ChangedTile[]): void => {
  for (const tile of tiles) {
    const before = rows.get(keyOf(tile)) ?? new Uint8Array();
    if (Buffer.compare(tile.bytes.subarray(0, before.length), before) !== 0) throw new Error(`tile ${keyOf(tile)} does not grow`);
    rows.set(keyOf(tile), tile.bytes);
  }
};

const open = async (tree: Pick<StoredTree, 'size' | 'root' | 'readTile'>): Promise<GrowingTree> => {
  const opening = await openTree(tree);
  if (opening.outcome !== 'opened') throw new Error(opening.outcome);
  return opening.tree;
};

/** Stores a tree in batches; it is opened anew from its rows before each of them. */
export const storeTree = async (leaves: readonly Uint8Array[], batches: readonly number[] = [leaves.length]): Promise<StoredTree> => {
  const rows = new Map<string, Uint8Array>();
  const read: string[] = [];
  const readTile: TileReader = async (tile) => {
    read.push(keyOf(tile));
    const bytes = rows.get(keyOf(tile));
    if (bytes === undefined) throw new Error(`no tile ${keyOf(tile)}`);
    return bytes.subarray(0, tile.width * 32);
  };
  let at = 0;
  let root = emptyRoot();
  for (const count of [...batches, leaves.length]) {
    const tree = await open({ size: at, root, readTile });
    store(rows, tree.append(leaves.slice(at, at + count)));
    at = tree.size();
    root = tree.root();
  }
  read.length = 0;
  return { size: at, root, readTile, rows, read };
};

/** The same bytes but for one bit. */
export const flipped = (bytes: Uint8Array, bit = 0): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  const at = Math.floor(bit / 8);
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit % 8));
  return copy;
};
