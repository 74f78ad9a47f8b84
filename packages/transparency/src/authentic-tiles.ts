import { createFrontier } from './frontier.ts';
import { hashAt, requireTile, rightEdge, type Tile, type TileReader, tileOf, tileWidth } from './tile.ts';
import { foldTile, readNodes } from './tile-hashes.ts';
import { hashLength, isSameHash } from './tree-hash.ts';
import { completeSubtrees } from './tree-shape.ts';

/** Tiles do not hash to the root that they should. Where several are named, it is at least one of them. */
export class FalseTiles extends Error {
  override readonly name = 'FalseTiles';
  readonly tiles: readonly Tile[];
  constructor(tiles: readonly Tile[]) {
    super(`not of this tree: ${tiles.map(({ level, index, width }) => `tile ${level}/${index} of ${width}`).join(' or ')}`);
    this.tiles = tiles;
  }
}

type Claimed = { readonly size: number; readonly root: Uint8Array; readonly readTile: TileReader };

/** A tile of another length is as false as one of other hashes: whoever serves it is not trusted. */
const readClaimed = async ({ readTile }: Claimed, tile: Tile): Promise<Uint8Array> => {
  const bytes = await readTile(tile);
  if (bytes.byteLength !== tile.width * hashLength) throw new FalseTiles([tile]);
  return bytes;
};

/** The partial tiles, by level, once they are known to be those of the root. */
const readEdge = async (claimed: Claimed): Promise<ReadonlyMap<number, Uint8Array>> => {
  const { size, root } = claimed;
  const tiles = rightEdge(size);
  const edge = new Map(await Promise.all(tiles.map(async (tile) => [tile.level, await readClaimed(claimed, tile)] as const)));
  const readTile: TileReader = async (tile) => requireTile(tile, edge.get(tile.level) ?? new Uint8Array());
  const hashes = await readNodes({ size, readTile }, completeSubtrees({ from: 0, to: size }));
  if (!isSameHash(createFrontier({ size, hashes }).root(), root)) throw new FalseTiles(tiles);
  return edge;
};

/**
 * Reads tiles of somebody who is not trusted, and passes on only what hashes to a root that is: partial tiles together make the root,
 * a full one a hash of the tile above it. It keeps one full tile a level, so reading from left to right reads each tile once.
 *
 * @param claimed.root the root of a checkpoint that was verified.
 * @returns a reader that rejects with {@link FalseTiles}, with a RangeError for a tile that a tree of this size has not, and with
 * whatever the given one rejects with.
 */
export const authenticTiles = (claimed: Claimed): TileReader => {
  const kept = new Map<number, { readonly index: number; readonly bytes: Uint8Array }>();
  let edge: Promise<ReadonlyMap<number, Uint8Array>> | null = null;

  const whole = async (tile: Tile): Promise<Uint8Array> => {
    edge ??= readEdge(claimed);
    const partial = (await edge).get(tile.level);
    if (tile.width < tileWidth) return partial ?? new Uint8Array();
    const known = kept.get(tile.level);
    if (known?.index === tile.index) return known.bytes;
    const bytes = await readClaimed(claimed, tile);
    const above = tileOf({ level: tile.level + 1, index: Math.floor(tile.index / tileWidth), size: claimed.size });
    if (!isSameHash(foldTile(bytes), hashAt(await whole(above), tile.index % tileWidth))) throw new FalseTiles([tile]);
    kept.set(tile.level, { index: tile.index, bytes });
    return bytes;
  };

  return async (tile) => {
    const held = tileOf({ ...tile, size: claimed.size });
    if (tile.width < 1 || tile.width > held.width)
      throw new RangeError(`a tree of ${claimed.size} has no tile ${tile.level}/${tile.index} of ${tile.width}`);
    return (await whole(held)).subarray(0, tile.width * hashLength);
  };
};
