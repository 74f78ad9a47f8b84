import { describe, expect, test } from 'vitest';
import { authenticTiles, FalseTiles, proveInclusion, type Tile, type TileReader, verifyInclusion } from '../src/index.ts';
import { flipped, leafHashes, storeTree } from './support/stored-tree.ts';

const leaves = leafHashes(66_300);
const tree = await storeTree(leaves);

/** Changes one bit of a hash of one tile. */
const lyingAt = (level: number, index: number, hash: number): TileReader => {
  return async (tile) => {
    const bytes = await tree.readTile(tile);
    return tile.level === level && tile.index === index ? flipped(bytes, hash * 256) : bytes;
  };
};
const authentic = (readTile: TileReader): TileReader => authenticTiles({ size: tree.size, root: tree.root, readTile });
const falseOf = async (readTile: TileReader, tile: Tile): Promise<readonly string[]> => {
  const error = await readTile(tile).then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof FalseTiles ? error.tiles.map(({ level, index }) => `${level}/${index}`) : [String(error)];
};
const leafTile = (index: number): Tile => ({ level: 0, index, width: index === 258 ? 252 : 256 });

describe('tiles of somebody who is not trusted', () => {
  test('are passed on where they hash to the root', async () => {
    const readTile = authentic(tree.readTile);
    for (const index of [0, 1, 255, 256, 258]) {
      const expected = Buffer.concat(leaves.slice(index * 256, (index + 1) * 256));
      expect(Buffer.compare(await readTile(leafTile(index)), expected)).toBe(0);
    }
    expect(Buffer.compare(await readTile({ level: 0, index: 3, width: 2 }), Buffer.concat(leaves.slice(768, 770)))).toBe(0);
  });

  test('are read once each from left to right', async () => {
    const readTile = authentic(tree.readTile);
    tree.read.length = 0;
    for (let index = 0; index <= 258; index += 1) await readTile(leafTile(index));
    expect(tree.read).toHaveLength(new Set(tree.read).size);
    expect(tree.read).toHaveLength(tree.rows.size);
  });

  test.each([
    ['a leaf', 0, 3, 200, leafTile(3), ['0/3']],
    ['the last leaf of a tile', 0, 3, 255, leafTile(3), ['0/3']],
    ['a hash above it', 1, 0, 3, leafTile(3), ['1/0']],
    ['another hash of the tile above it', 1, 0, 200, leafTile(3), ['1/0']],
    ['a hash at the edge', 2, 0, 0, leafTile(3), ['0/258', '1/1', '2/0']],
    ['a leaf at the edge', 0, 258, 251, leafTile(3), ['0/258', '1/1', '2/0']],
    ['the whole edge', 1, 1, 0, leafTile(258), ['0/258', '1/1', '2/0']],
  ])('are refused where %s is false', async (_, level, index, hash, tile, named) => {
    expect(await falseOf(authentic(lyingAt(level, index, hash)), tile)).toEqual(named);
  });

  test('are passed on where only others are false', async () => {
    expect(await falseOf(authentic(lyingAt(0, 4, 0)), leafTile(4))).toEqual(['0/4']);
    expect((await authentic(lyingAt(0, 4, 0))(leafTile(3))).byteLength).toBe(8192);
  });

  test('are refused when they are longer or shorter than they should be', async () => {
    for (const change of [
      (bytes: Uint8Array) => Buffer.concat([bytes, bytes]),
      (bytes: Uint8Array) => bytes.subarray(1),
      () => new Uint8Array(),
    ]) {
      const readTile: TileReader = async (tile) => (tile.index === 3 ? change(await tree.readTile(tile)) : tree.readTile(tile));
      expect(await falseOf(authentic(readTile), leafTile(3))).toEqual(['0/3']);
    }
  });

  test('are refused for a tree of another size or root', async () => {
    expect(await falseOf(authenticTiles({ ...tree, root: flipped(tree.root) }), leafTile(0))).toHaveLength(3);
    expect(await falseOf(authenticTiles({ ...tree, size: tree.size - 1 }), leafTile(0))).toHaveLength(3);
  });

  test('are not asked for beyond the tree', async () => {
    const readTile = authentic(tree.readTile);
    await expect(readTile({ level: 0, index: 259, width: 1 })).rejects.toThrow(RangeError);
    await expect(readTile({ level: 0, index: 258, width: 253 })).rejects.toThrow(RangeError);
    await expect(readTile({ level: 3, index: 0, width: 1 })).rejects.toThrow(RangeError);
  });

  test('pass on what the reader rejects with', async () => {
    const lost: TileReader = async () => {
      throw new Error('no answer');
    };
    await expect(authentic(lost)(leafTile(0))).rejects.toThrow('no answer');
  });

  test('give proofs that hold', async () => {
    const claim = { index: 40_000, size: tree.size, root: tree.root };
    const hashes = await proveInclusion({ ...claim, readTile: authentic(tree.readTile) });
    expect(verifyInclusion({ ...claim, leafHash: leaves[40_000] ?? tree.root, hashes })).toBe(true);
    await expect(proveInclusion({ ...claim, readTile: authentic(lyingAt(0, 156, 65)) })).rejects.toThrow(FalseTiles);
  });
});
