import { createFrontier, type Frontier } from './frontier.ts';
import { requireTile, rightEdge, type Tile, type TileReader, tileHeight, tileOf, tileWidth } from './tile.ts';
import { readNodes } from './tile-hashes.ts';
import { hashLength, isSameHash } from './tree-hash.ts';
import { completeSubtrees } from './tree-shape.ts';

/** A tile to be stored in place of the narrower one of its level and index. */
export type ChangedTile = Tile & { readonly bytes: Uint8Array };

/** A tree that grows at its right edge. It keeps one tile a level, whatever its size. */
export type GrowingTree = {
  readonly size: () => number;
  readonly root: () => Uint8Array;
  /**
   * Adds the hashes of leaves and answers the tiles that have changed by it, full ones in the order in which they became so, then partial ones.
   *
   * @throws RangeError for a hash that has not 32 bytes; the tree is as before.
   */
  readonly append: (leafHashes: readonly Uint8Array[]) => readonly ChangedTile[];
};

type OpenTile = { index: number; width: number; readonly bytes: Uint8Array; isChanged: boolean };

const growTree = (frontier: Frontier, edge: Map<number, OpenTile>): GrowingTree => {
  const full: ChangedTile[] = [];

  const openTile = (level: number): OpenTile => {
    const known = edge.get(level);
    if (known !== undefined) return known;
    const fresh = { index: 0, width: 0, bytes: new Uint8Array(tileWidth * hashLength), isChanged: false };
    edge.set(level, fresh);
    return fresh;
  };

  const put = (level: number, hash: Uint8Array): void => {
    const tile = openTile(level);
    tile.bytes.set(hash, tile.width * hashLength);
    tile.width += 1;
    tile.isChanged = true;
    if (tile.width < tileWidth) return;
    full.push({ level, index: tile.index, width: tileWidth, bytes: tile.bytes.slice() });
    tile.index += 1;
    tile.width = 0;
    tile.isChanged = false;
  };

  const takePartial = ([level, tile]: readonly [number, OpenTile]): readonly ChangedTile[] => {
    if (!tile.isChanged) return [];
    tile.isChanged = false;
    const { index, width } = tile;
    return [{ level, index, width, bytes: tile.bytes.slice(0, width * hashLength) }];
  };

  return {
    size: frontier.size,
    root: frontier.root,
    append: (leafHashes) => {
      if (leafHashes.some(({ byteLength }) => byteLength !== hashLength)) throw new RangeError('a hash of the tree has 32 bytes');
      for (const leafHash of leafHashes) {
        frontier.append(leafHash, (height, hash) => {
          // What a tile's hashes are the hashes of, is a subtree as high as some tiles on top of each other.
          if (height % tileHeight === 0) put(height / tileHeight, hash);
        });
      }
      return [...full.splice(0), ...[...edge].flatMap(takePartial)];
    },
  };
};

export type TreeOpening = { readonly outcome: 'opened'; readonly tree: GrowingTree } | { readonly outcome: 'tiles_differ' };

/**
 * Goes on with a stored tree, of which the partial tiles of its right edge are read, one a level at most. `tiles_differ` when they do not
 * hash to the root that the tree had: whoever went on would sign another history.
 *
 * @param stored.root the root at that size, `emptyRoot()` at 0.
 */
export const openTree = async (stored: {
  readonly size: number;
  readonly root: Uint8Array;
  readonly readTile: TileReader;
}): Promise<TreeOpening> => {
  const { size } = stored;
  const tiles = await Promise.all(rightEdge(size).map(async (tile) => ({ tile, bytes: requireTile(tile, await stored.readTile(tile)) })));
  const bytesOf = async ({ level }: Tile): Promise<Uint8Array> => tiles.find(({ tile }) => tile.level === level)?.bytes ?? new Uint8Array();
  const hashes = await readNodes({ size, readTile: bytesOf }, completeSubtrees({ from: 0, to: size }));
  const frontier = createFrontier({ size, hashes });
  if (!isSameHash(frontier.root(), stored.root)) return { outcome: 'tiles_differ' };

  const edge = new Map<number, OpenTile>();
  for (let level = 0; tileWidth ** level <= size; level += 1) {
    const index = Math.floor(size / tileWidth ** (level + 1));
    const held = tiles.find(({ tile }) => tile.level === level)?.bytes ?? new Uint8Array();
    const bytes = new Uint8Array(tileWidth * hashLength);
    bytes.set(held);
    edge.set(level, { index, width: Math.max(0, tileOf({ level, index, size }).width), bytes, isChanged: false });
  }
  return { outcome: 'opened', tree: growTree(frontier, edge) };
};
