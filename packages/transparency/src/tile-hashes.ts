import { hashAt, requireTile, type Tile, type TileReader, tileHeight, tileOf, tileWidth } from './tile.ts';
import { hashNode } from './tree-hash.ts';
import { completeSubtrees, type Node, type Span } from './tree-shape.ts';

/** The hash of a complete subtree whose bottom is a run of hashes, a power of two of them. */
const foldRun = (run: readonly Uint8Array[]): Uint8Array => {
  let level = run;
  while (level.length > 1) {
    const pairs = level;
    level = Array.from({ length: pairs.length / 2 }, (_, at) => hashNode(pairs[2 * at] as Uint8Array, pairs[2 * at + 1] as Uint8Array));
  }
  return level[0] as Uint8Array;
};

const runOf = (bytes: Uint8Array, offset: number, count: number): readonly Uint8Array[] =>
  Array.from({ length: count }, (_, at) => hashAt(bytes, offset + at));

/** The hash of a complete subtree out of the tile where its bottom lies. */
export const foldPlace = (bytes: Uint8Array, { offset, count }: { readonly offset: number; readonly count: number }): Uint8Array =>
  foldRun(runOf(bytes, offset, count));

/** The hash that a full tile has in the level above. */
export const foldTile = (bytes: Uint8Array): Uint8Array => foldRun(runOf(bytes, 0, tileWidth));

/** Where the hashes of a subtree lie: the tile of its level whose hashes it is made of, and which of them. */
export const placeOf = (
  { height, index }: Node,
  size: number,
): { readonly tile: Tile; readonly offset: number; readonly count: number } => {
  const count = 2 ** (height % tileHeight);
  const first = index * count;
  const tile = tileOf({ level: Math.floor(height / tileHeight), index: Math.floor(first / tileWidth), size });
  return { tile, offset: first % tileWidth, count };
};

/** The hashes of complete subtrees of a tree, in their order; each tile is read once, and all at the same time. */
export const readNodes = async (
  tree: { readonly size: number; readonly readTile: TileReader },
  nodes: readonly Node[],
): Promise<readonly Uint8Array[]> => {
  const reading = new Map<string, Promise<Uint8Array>>();
  const read = async (tile: Tile): Promise<Uint8Array> => requireTile(tile, await tree.readTile(tile));
  const places = nodes.map((node) => placeOf(node, tree.size));
  for (const { tile } of places) {
    const key = `${tile.level}/${tile.index}`;
    if (!reading.has(key)) reading.set(key, read(tile));
  }
  const tiles = new Map(await Promise.all([...reading].map(async ([key, bytes]) => [key, await bytes] as const)));
  return places.map((place) => foldPlace(tiles.get(`${place.tile.level}/${place.tile.index}`) as Uint8Array, place));
};

/** The hashes of spans of a tree (RFC 6962 §2.1, MTH), in their order. */
export const readSpans = async (
  tree: { readonly size: number; readonly readTile: TileReader },
  spans: readonly Span[],
): Promise<readonly Uint8Array[]> => {
  const parts = spans.map(completeSubtrees);
  const hashes = await readNodes(tree, parts.flat());
  let at = 0;
  return parts.map(({ length }) => {
    const own = hashes.slice(at, at + length);
    at += length;
    return own.reduceRight((right, left) => hashNode(left, right));
  });
};
