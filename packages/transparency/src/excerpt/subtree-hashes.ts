import { authenticTiles } from '../authentic-tiles.ts';
import type { TileReader } from '../tile.ts';
import { foldPlace, placeOf } from '../tile-hashes.ts';
import type { Node } from '../tree-shape.ts';

/**
 * The hashes of complete subtrees of a tree that was signed. Asked from left to right it reads each tile once, and keeps one a level.
 *
 * @returns a function that rejects with `FalseTiles` where what is read does not hash to the root.
 */
export const subtreeHashes = (tree: {
  readonly size: number;
  readonly root: Uint8Array;
  readonly readTile: TileReader;
}): ((node: Node) => Promise<Uint8Array>) => {
  const readTile = authenticTiles(tree);
  const held = new Map<number, { readonly index: number; readonly bytes: Uint8Array }>();
  return async (node) => {
    const place = placeOf(node, tree.size);
    const { level, index } = place.tile;
    const known = held.get(level);
    if (known?.index === index) return foldPlace(known.bytes, place);
    const bytes = await readTile(place.tile);
    held.set(level, { index, bytes });
    return foldPlace(bytes, place);
  };
};
