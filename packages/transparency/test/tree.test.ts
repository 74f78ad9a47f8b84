import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  emptyRoot,
  hashLeaf,
  hashNode,
  openTree,
  proveConsistency,
  proveInclusion,
  type Tile,
  verifyConsistency,
  verifyInclusion,
} from '../src/index.ts';
import { naiveConsistency, naiveInclusion, naiveRoot } from './support/naive-tree.ts';
import { flipped, leafHashes, storeTree } from './support/stored-tree.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const refuseToRead = async ({ level, index }: Tile): Promise<Uint8Array> => {
  throw new Error(`tile ${level}/${index} was read`);
};

describe('the eight leaves of Certificate Transparency', () => {
  const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map((leaf) =>
    hashLeaf(Buffer.from(leaf, 'hex')),
  );
  const roots = [
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ];
  const [one, two] = [
    '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
    '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
  ];
  const four = '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4';
  const five = 'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b';
  const six = 'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0';
  const fifthPair = '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a';

  test('have the published roots, and without any the hash of nothing', async () => {
    for (const [at, root] of roots.entries()) expect(hex((await storeTree(leaves.slice(0, at + 1))).root)).toBe(root);
    expect(hex(emptyRoot())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });

  test.each([
    [0, 1, []],
    [0, 8, [one, two, four]],
    [5, 8, [five, six, roots[3]]],
    [2, 3, [roots[1]]],
    [1, 5, [roots[0], two, five]],
  ])('prove leaf %i of %i as published', async (index, size, hashes) => {
    const { readTile } = await storeTree(leaves.slice(0, size));
    expect((await proveInclusion({ index, size, readTile })).map(hex)).toEqual(hashes);
  });

  test.each([
    [1, 1, []],
    [1, 8, [one, two, four]],
    [6, 8, [fifthPair, six, roots[3]]],
    [2, 5, [two, five]],
  ])('prove the growth from %i to %i as published', async (oldSize, newSize, hashes) => {
    const { readTile } = await storeTree(leaves.slice(0, newSize));
    expect((await proveConsistency({ oldSize, newSize, readTile })).map(hex)).toEqual(hashes);
  });
});

describe('a growing tree', () => {
  const many = leafHashes(1400);

  test('has the root of the definition at any size, however the leaves come in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 1400 }),
        fc.array(fc.integer({ min: 0, max: 600 }), { maxLength: 6 }),
        async (size, batches) => {
          const leaves = many.slice(0, size);
          expect(hex((await storeTree(leaves, batches)).root)).toBe(hex(naiveRoot(leaves)));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('stores the same tiles, however the leaves come in', async () => {
    const whole = await storeTree(many);
    const pieces = await storeTree(many, [1, 254, 1, 1, 255, 256, 300]);
    expect(pieces.rows).toEqual(whole.rows);
    expect([...whole.rows.keys()].sort()).toEqual(['0/0', '0/1', '0/2', '0/3', '0/4', '0/5', '1/0']);
  });

  test('answers only what has changed: full tiles first, then the partial ones', async () => {
    const opening = await openTree({ size: 0, root: emptyRoot(), readTile: refuseToRead });
    if (opening.outcome !== 'opened') throw new Error(opening.outcome);
    const { tree } = opening;
    const shapes = (count: number): readonly string[] =>
      tree.append(many.slice(tree.size(), tree.size() + count)).map(({ level, index, width }) => `${level}/${index}.${width}`);
    expect(shapes(0)).toEqual([]);
    expect(shapes(255)).toEqual(['0/0.255']);
    expect(shapes(1)).toEqual(['0/0.256', '1/0.1']);
    expect(shapes(0)).toEqual([]);
    expect(shapes(600)).toEqual(['0/1.256', '0/2.256', '0/3.88', '1/0.3']);
    expect(shapes(3)).toEqual(['0/3.91']);
  });

  test('opens from its right edge alone, and goes on as if it had never been closed', async () => {
    const leaves = leafHashes(66_000);
    const { rows, ...stored } = await storeTree(leaves.slice(0, 65_900));
    const opening = await openTree(stored);
    expect(stored.read.sort()).toEqual(['0/257', '1/1', '2/0']);
    if (opening.outcome !== 'opened') throw new Error(opening.outcome);
    opening.tree.append(leaves.slice(65_900));
    expect(hex(opening.tree.root())).toBe(hex((await storeTree(leaves)).root));
  });

  test.each([
    ['0/257', 1],
    ['1/1', 0],
    ['2/0', 0],
  ])('does not open when tile %s of its edge was changed', async (key, at) => {
    const { rows, ...stored } = await storeTree(leafHashes(65_900));
    rows.set(key, flipped(rows.get(key) ?? new Uint8Array(), at * 256));
    expect(await openTree(stored)).toEqual({ outcome: 'tiles_differ' });
  });

  test('refuses a hash that has not 32 bytes and stays as it was', async () => {
    const opening = await openTree({ size: 0, root: emptyRoot(), readTile: refuseToRead });
    if (opening.outcome !== 'opened') throw new Error(opening.outcome);
    expect(() => opening.tree.append([...many.slice(0, 2), new Uint8Array(31)])).toThrow(RangeError);
    expect(opening.tree.size()).toBe(0);
  });

  test('throws when the reader gives a tile of another width', async () => {
    const { size, root } = await storeTree(many);
    await expect(openTree({ size, root, readTile: async () => new Uint8Array(32) })).rejects.toThrow(RangeError);
  });
});

describe('proofs', () => {
  const leaves = leafHashes(1200);
  const place = fc
    .integer({ min: 1, max: 1200 })
    .chain((size) => fc.tuple(fc.constant(size), fc.integer({ min: 0, max: size - 1 }), fc.nat()));

  test('of inclusion are those of the definition, and fail for any other leaf, place, size, root, bit or length', async () => {
    const tree = await storeTree(leaves);
    await fc.assert(
      fc.asyncProperty(place, async ([size, index, any]) => {
        const own = leaves.slice(0, size);
        const root = naiveRoot(own);
        const leafHash = own[index] ?? root;
        // The tiles are those of a larger tree by now.
        const hashes = await proveInclusion({ index, size, readTile: tree.readTile });
        expect(hashes.map(hex)).toEqual(naiveInclusion(index, own).map(hex));
        const claim = { index, size, root, leafHash, hashes };
        expect(verifyInclusion(claim)).toBe(true);
        const bit = any % 256;
        const wrong = [
          { root: flipped(root, bit) },
          { leafHash: flipped(leafHash, bit) },
          { hashes: [...hashes, root] },
          { hashes: [root, ...hashes] },
          { index: size },
          { index: -1 },
          { index: index + 0.5 },
          { size: size + 0.5 },
          { leafHash: leafHash.subarray(1) },
          { size: index },
          { size: 0 },
          ...(hashes.length > 0 ? [{ hashes: hashes.slice(1) }, { hashes: hashes.slice(0, -1) }] : []),
          ...hashes.map((_, at) => ({ hashes: hashes.map((hash, each) => (each === at ? flipped(hash, bit) : hash)) })),
          ...hashes.map((_, at) => ({ hashes: hashes.map((hash, each) => (each === at ? hash.subarray(0, 31) : hash)) })),
          ...Array.from({ length: Math.min(size, 40) }, (_, at) => ({ index: (index + 1 + at) % size })).filter(
            (other) => other.index !== index,
          ),
        ];
        for (const part of wrong) expect(verifyInclusion({ ...claim, ...part }), JSON.stringify(part)).toBe(false);
      }),
      { numRuns: 150 },
    );
  });

  test('of a size that leads another way fail', async () => {
    const tree = await storeTree(leaves.slice(0, 300));
    const hashes = await proveInclusion({ index: 0, size: 300, readTile: tree.readTile });
    const claim = { index: 0, root: tree.root, leafHash: leaves[0] ?? tree.root, hashes };
    // The first leaf's way is the same in every tree of 257 to 512: which size a root belongs to is what a checkpoint signs.
    for (let size = 1; size <= 600; size += 1) expect(verifyInclusion({ ...claim, size }), `${size}`).toBe(size > 256 && size <= 512);
  });

  test('lead no further than the root, even where a longer way would lead to the one that is claimed', () => {
    const [leafHash = emptyRoot(), sibling = emptyRoot(), above = emptyRoot()] = leaves;
    const root = hashNode(sibling, leafHash);
    expect(verifyInclusion({ index: 0, size: 1, root, leafHash, hashes: [sibling] })).toBe(false);
    const pair = hashNode(leafHash, sibling);
    const claim = { oldSize: 1, oldRoot: leafHash, newSize: 2, newRoot: pair, hashes: [sibling] };
    expect(verifyConsistency(claim)).toBe(true);
    expect(verifyConsistency({ ...claim, newRoot: hashNode(above, pair), hashes: [sibling, above] })).toBe(false);
  });

  test('of growth are those of the definition, and fail for any other root, size, bit or length', async () => {
    const tree = await storeTree(leaves);
    await fc.assert(
      fc.asyncProperty(place, async ([newSize, before, any]) => {
        const oldSize = before + 1;
        const own = leaves.slice(0, newSize);
        const [oldRoot, newRoot] = [naiveRoot(own.slice(0, oldSize)), naiveRoot(own)];
        const hashes = await proveConsistency({ oldSize, newSize, readTile: tree.readTile });
        expect(hashes.map(hex)).toEqual(naiveConsistency(oldSize, own).map(hex));
        const claim = { oldSize, oldRoot, newSize, newRoot, hashes };
        expect(verifyConsistency(claim)).toBe(true);
        const bit = any % 256;
        const wrong = [
          { oldRoot: flipped(oldRoot, bit) },
          { newRoot: flipped(newRoot, bit) },
          { hashes: [...hashes, newRoot] },
          { hashes: [newRoot, ...hashes] },
          { oldSize: newSize + 1 },
          { oldSize: -1 },
          { newSize: newSize + 0.5 },
          { oldSize: oldSize - 0.5 },
          { oldSize: oldSize - 1 },
          { newSize: oldSize - 1 },
          ...(hashes.length > 0
            ? [{ hashes: hashes.slice(1) }, { hashes: hashes.slice(0, -1) }, { oldSize: newSize }, { newSize: oldSize }]
            : []),
          ...hashes.map((_, at) => ({ hashes: hashes.map((hash, each) => (each === at ? flipped(hash, bit) : hash)) })),
        ];
        for (const part of wrong) expect(verifyConsistency({ ...claim, ...part }), JSON.stringify(part)).toBe(false);
      }),
      { numRuns: 150 },
    );
  });

  test('of growth from nothing are empty, and true of the empty root alone', async () => {
    const tree = await storeTree(leaves);
    const claim = { oldSize: 0, oldRoot: emptyRoot(), newSize: tree.size, newRoot: tree.root, hashes: [] };
    expect(await proveConsistency({ oldSize: 0, newSize: tree.size, readTile: refuseToRead })).toEqual([]);
    expect(verifyConsistency(claim)).toBe(true);
    expect(verifyConsistency({ ...claim, oldRoot: tree.root })).toBe(false);
    expect(verifyConsistency({ ...claim, hashes: [tree.root] })).toBe(false);
  });

  test('read each tile once, and two a level at most', async () => {
    const tree = await storeTree(leafHashes(70_000));
    await proveInclusion({ index: 40_000, size: 70_000, readTile: tree.readTile });
    expect(tree.read.splice(0).sort()).toEqual(['0/156', '0/273', '1/0', '1/1']);
    await proveConsistency({ oldSize: 65_500, newSize: 70_000, readTile: tree.readTile });
    expect(tree.read.splice(0).sort()).toEqual(['0/255', '0/273', '1/0', '1/1']);
  });

  test('are not made of what the tree has not', async () => {
    await expect(proveInclusion({ index: 3, size: 3, readTile: refuseToRead })).rejects.toThrow(RangeError);
    await expect(proveConsistency({ oldSize: 4, newSize: 3, readTile: refuseToRead })).rejects.toThrow(RangeError);
  });
});
