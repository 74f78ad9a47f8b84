import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, hashLeaf, type JsonObject, signCheckpoint, verifyExcerpt, verifyLog, writeExcerpt } from '../src/index.ts';
import { base, each, events, hashes, linesOf, log, logged, noteAt, pick, range, treeOf, verify, write } from './support/excerpts.ts';
import { naiveRoot } from './support/naive-tree.ts';
import { logSigner, origin } from './support/signers.ts';
import { flipped, leafHashes, storeTree } from './support/stored-tree.ts';

type Wire = {
  readonly event?: JsonObject;
  readonly hash?: string;
  readonly personal?: string;
  readonly skip?: readonly [number, number];
  readonly hashes?: readonly string[];
};

const base64 = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('base64');

/** Sizes, which of the events, and where else it shall be comparable. */
const anyPart = fc.integer({ min: 0, max: 700 }).chain((size) =>
  fc.record({
    size: fc.constant(size),
    // Runs of events, single ones, all and none.
    indexes: fc.oneof(
      fc.constant(range(0, size)),
      fc.uniqueArray(fc.integer({ min: 0, max: Math.max(0, size - 1) }), { maxLength: size === 0 ? 0 : 30 }),
      fc
        .uniqueArray(fc.integer({ min: 0, max: size }), { maxLength: 8 })
        .map((cuts) => [...cuts].sort((a, b) => a - b))
        .map((cuts) => cuts.flatMap((from, n) => (n % 2 === 0 ? range(from, cuts[n + 1] ?? from) : []))),
    ),
    boundaries: fc.array(fc.integer({ min: 0, max: size }), { maxLength: 5 }),
  }),
);
const partOf = ({ size, indexes, boundaries }: { size: number; indexes: readonly number[]; boundaries: readonly number[] }) => ({
  size,
  boundaries,
  events: pick([...indexes].sort((a, b) => a - b)),
});

describe('an excerpt', () => {
  test('of any part of any tree is verified, against every checkpoint that it was made comparable with', async () => {
    await fc.assert(
      fc.asyncProperty(anyPart, fc.integer({ min: 1, max: 5_000 }), async (any, pieceLength) => {
        const part = partOf(any);
        const found = await verify(await write(part), part.boundaries.map(noteAt), pieceLength);
        expect(found).toMatchObject({ kind: 'verified', events: part.events.length, checkpoint: { size: part.size }, uncompared: [] });
        expect(found).toMatchObject({
          head: { base, lineage: '1', about: { type: 'grant.*' } },
          compared: { length: part.boundaries.length },
        });
      }),
      { numRuns: 150 },
    );
  });

  test('has the leaves verbatim, and in their stead the hashes of the subtrees that RFC 6962 gives', async () => {
    await fc.assert(
      fc.asyncProperty(anyPart, async (any) => {
        const part = partOf(any);
        let at = 0;
        for (const line of linesOf(await write(part)).slice(1, -1)) {
          const { event, hash, personal, skip, hashes: given = [] } = JSON.parse(line) as Wire;
          if (event !== undefined) {
            expect(base64(hashLeaf(Buffer.from(canonicalJson(event), 'utf8')))).toBe(hash);
            expect(hash).toBe(base64(hashes[at]));
            expect(personal).toBe(events[at]?.personal === null ? undefined : base64(events[at]?.personal ?? undefined));
            at += 1;
          }
          if (skip === undefined) continue;
          expect(skip[0]).toBe(at);
          for (const subtree of given) {
            // The largest power of two that divides the index and fits.
            let count = 1;
            while (at % (2 * count) === 0 && at + 2 * count <= skip[1]) count *= 2;
            expect(subtree).toBe(base64(naiveRoot(hashes.slice(at, at + count))));
            at += count;
          }
          expect(at).toBe(skip[1]);
        }
        expect(at).toBe(part.size);
      }),
      { numRuns: 60 },
    );
  });

  test('of nothing, and of an empty log, is verified', async () => {
    expect(await verify(await write({ size: 0, events: [] }), [noteAt(0)])).toMatchObject({ kind: 'verified', events: 0, uncompared: [] });
    expect(await verify(await write({ size: 300, events: [] }), [noteAt(300)])).toMatchObject({ kind: 'verified', events: 0 });
  });

  test('reads each tile once, however sparse it is', async () => {
    const tree = await treeOf(700);
    tree.read.length = 0;
    await write({ size: 700, events: pick([3, 4, 90, 255, 256, 300, 511, 512, 699]), boundaries: [100, 260, 600] });
    expect(tree.read.length).toBeGreaterThan(3);
    expect(new Set(tree.read).size).toBe(tree.read.length);
  });

  test('of a tree with three levels of tiles is verified', async () => {
    const some = [0, 255, 256, 65_534, 65_535, 65_536, 65_999].map((index) => logged(index));
    const many = leafHashes(66_000).map((hash, index) => {
      const own = some.find((each) => each.index === index);
      return own === undefined ? hash : hashLeaf(own.leaf);
    });
    const { readTile, root, size, read } = await storeTree(many);
    const note = signCheckpoint({ origin, size, root }, logSigner);
    const smaller = signCheckpoint({ origin, size: 65_000, root: naiveRoot(many.slice(0, 65_000)) }, logSigner);
    const head = { platform: 'along', lineage: '1', base, about: {} };
    const written = writeExcerpt({ head, checkpoint: { note, size, root }, events: each(some), readTile, boundaries: [65_000] });
    const found = await verifyExcerpt({ excerpt: each(await Array.fromAsync(written)), log, trusted: [smaller] });
    expect(found).toMatchObject({ kind: 'verified', events: some.length, checkpoint: { size }, compared: [{ size: 65_000 }] });
    // Each once, and none but those on the way to an event or a boundary.
    expect(new Set(read).size).toBe(read.length);
    expect(read.length).toBeLessThan(12);
  });

  test('says of a kept checkpoint with which it could not be compared that it was not', async () => {
    const file = await write({ size: 600, events: pick([2, 17]), boundaries: [100] });
    expect(await verify(file, [noteAt(100), noteAt(301), noteAt(700), noteAt(600), noteAt(18)])).toMatchObject({
      kind: 'verified',
      compared: [{ size: 100 }, { size: 600 }, { size: 18 }],
      uncompared: [{ size: 301 }, { size: 700 }],
    });
  });

  test('agrees with verifyLog about a log of which any one event was changed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 600 }), fc.nat(), fc.boolean(), async (size, at, isChanged) => {
        const index = at % size;
        const rows = events.slice(0, size).with(index, logged(index, isChanged ? { index, text: 'other' } : undefined));
        const judged = await verifyLog({
          events: each(rows.map(({ leaf, index: n }) => ({ leaf, position: n + 1 }))),
          log,
          trusted: [],
          claimed: { checkpoint: noteAt(size), readTile: (await treeOf(size)).readTile },
        });
        const found = await verify(await write({ size, events: rows }));
        expect(judged.kind).toBe(isChanged ? 'event_differs' : 'verified');
        expect(found.kind).toBe(judged.kind);
        if (judged.kind === 'event_differs') {
          const { position, logged: expected, found: hash } = judged;
          expect(found).toEqual({
            kind: 'event_differs',
            line: index + 2,
            position: base + position,
            logged: Uint8Array.from(expected),
            found: hash,
            isSigned: true,
          });
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('the writer', () => {
  test('refuses events out of order or beyond the checkpoint, and boundaries that are no sizes', async () => {
    await expect(write({ size: 300, events: pick([5, 5]) })).rejects.toThrow(RangeError);
    await expect(write({ size: 300, events: pick([5, 4]) })).rejects.toThrow(RangeError);
    await expect(write({ size: 300, events: pick([300]) })).rejects.toThrow(RangeError);
    await expect(write({ size: 300, events: [], boundaries: [301] })).rejects.toThrow(RangeError);
    await expect(write({ size: 300, events: [], boundaries: [1.5] })).rejects.toThrow(RangeError);
  });

  test('writes nothing out of tiles that are not those of the checkpoint', async () => {
    const { readTile, root } = await storeTree(hashes);
    const lying: typeof readTile = async (tile) =>
      tile.level === 0 && tile.index === 1 ? flipped(await readTile(tile), 9) : readTile(tile);
    const head = { platform: 'along', lineage: '1', base, about: {} };
    const written = writeExcerpt({ head, checkpoint: { note: noteAt(700), size: 700, root }, events: each(pick([300])), readTile: lying });
    await expect(Array.fromAsync(written)).rejects.toThrow('not of this tree');
  });
});
