import { hashLength } from './tree-hash.ts';

/** Hashes in a full tile. */
export const tileWidth = 256;

/** Levels of the tree that one tile spans. */
export const tileHeight = 8;

/**
 * A run of up to 256 hashes of the tree: those numbered from index · 256 on among the subtrees of 256^level leaves each.
 * One of fewer is partial; it is the beginning of every wider one of its level and index.
 *
 * @see https://c2sp.org/tlog-tiles
 */
export type Tile = { readonly level: number; readonly index: number; readonly width: number };

/**
 * Reads a tile of a tree: exactly 32 bytes for each hash of its width, however many more are stored by now. Rejects where it cannot.
 */
export type TileReader = (tile: Tile) => Promise<Uint8Array>;

/** How many hashes a level has in a tree of this size. */
const hashesOf = (level: number, size: number): number => Math.floor(size / tileWidth ** level);

/** A tile as it is in a tree of this size. Its width is 0 or less where the tree does not reach it. */
export const tileOf = ({ level, index, size }: { readonly level: number; readonly index: number; readonly size: number }): Tile => ({
  level,
  index,
  width: Math.min(tileWidth, hashesOf(level, size) - index * tileWidth),
});

/** The partial tiles of a tree, from the leaves up: at most one a level, and together all that its root is made of. */
export const rightEdge = (size: number): readonly Tile[] => {
  const tiles: Tile[] = [];
  for (let level = 0; hashesOf(level, size) > 0; level += 1) {
    const tile = tileOf({ level, index: Math.floor(hashesOf(level, size) / tileWidth), size });
    if (tile.width > 0) tiles.push(tile);
  }
  return tiles;
};

/** The tile's bytes as it asked for them. @throws RangeError when there are more or fewer: the reader broke its contract. */
export const requireTile = (tile: Tile, bytes: Uint8Array): Uint8Array => {
  if (bytes.byteLength === tile.width * hashLength) return bytes;
  throw new RangeError(`tile ${tile.level}/${tile.index} of ${tile.width} hashes was read as ${bytes.byteLength} bytes`);
};

/** One hash of a tile's bytes. */
export const hashAt = (bytes: Uint8Array, offset: number): Uint8Array => bytes.subarray(offset * hashLength, (offset + 1) * hashLength);
