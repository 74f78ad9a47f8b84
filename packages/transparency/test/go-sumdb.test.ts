import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  cosign,
  type NoteSigner,
  parseNote,
  parseTilePath,
  proveConsistency,
  proveInclusion,
  readCheckpoint,
  readCosignatures,
  readVerifierKey,
  rightEdge,
  signCheckpoint,
  signNote,
  tileOf,
  tilePath,
  verifierKeyOf,
  verifyConsistency,
  verifyInclusion,
  writeVerifierKey,
} from '../src/index.ts';
import { logSigner, origin, signerOf } from './support/signers.ts';
import { leafHashes, type StoredTree, storeTree } from './support/stored-tree.ts';
import go from './vectors/go-sumdb.json' with { type: 'json' };

const leaves = leafHashes(70_000);
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'base64');
const rootOf = (size: number): Uint8Array =>
  bytesOf(go.roots[size - 1] ?? (go.bigRoots as Readonly<Record<string, string>>)[String(size)] ?? '');

describe('what golang.org/x/mod/sumdb makes of the same leaves', () => {
  let tree: StoredTree;
  beforeAll(async () => {
    tree = await storeTree(leaves, [1, 600, 65_000]);
  });

  test('has the same root at every size up to 600 and at larger ones', async () => {
    for (let size = 1; size <= 600; size += 1)
      expect(base64((await storeTree(leaves.slice(0, size))).root), `${size}`).toBe(base64(rootOf(size)));
    for (const [size, root] of Object.entries(go.bigRoots))
      expect(base64((await storeTree(leaves.slice(0, Number(size)))).root)).toBe(root);
  });

  test.each(go.allProofs)(
    'has the same proofs of every leaf of $size, and of every growth to it',
    async ({ size, inclusion, consistency }) => {
      const { readTile } = tree;
      const [leafProofs, growthProofs] = [createHash('sha256'), createHash('sha256')];
      for (let index = 0; index < size; index += 1) {
        for (const hash of await proveInclusion({ index, size, readTile })) leafProofs.update(hash);
        for (const hash of await proveConsistency({ oldSize: index + 1, newSize: size, readTile })) growthProofs.update(hash);
      }
      expect(leafProofs.digest('base64')).toBe(inclusion);
      expect(growthProofs.digest('base64')).toBe(consistency);
    },
  );

  test.each(go.inclusion)('proves leaf $index of $size alike, and we verify it', async ({ index, size, hashes }) => {
    expect((await proveInclusion({ index, size, readTile: tree.readTile })).map(base64)).toEqual(hashes);
    const claim = { index, size, root: rootOf(size), leafHash: leaves[index] ?? rootOf(size), hashes: hashes.map(bytesOf) };
    expect(verifyInclusion(claim)).toBe(true);
  });

  test.each(go.consistency)('proves the growth from $oldSize to $newSize alike, and we verify it', async ({ oldSize, newSize, hashes }) => {
    expect((await proveConsistency({ oldSize, newSize, readTile: tree.readTile })).map(base64)).toEqual(hashes);
    const oldRoot = (await storeTree(leaves.slice(0, oldSize))).root;
    expect(verifyConsistency({ oldSize, newSize, oldRoot, newRoot: rootOf(newSize), hashes: hashes.map(bytesOf) })).toBe(true);
  });

  test.each(go.tiles)('stores $size leaves in the same $count tiles', async ({ size, count, sha256, partial }) => {
    const { rows } = await storeTree(leaves.slice(0, size), [300, 20_000]);
    expect(rows.size).toBe(count);
    const whole = createHash('sha256');
    for (let level = 0; rows.has(`${level}/0`); level += 1) {
      for (let index = 0; rows.has(`${level}/${index}`); index += 1) {
        whole.update(`${tilePath({ kind: 'hashes', ...tileOf({ level, index, size }) })}\n`);
        whole.update(rows.get(`${level}/${index}`) ?? '');
      }
    }
    expect(whole.digest('base64')).toBe(sha256);
    const edge = rightEdge(size).map((tile) => ({
      path: tilePath({ kind: 'hashes', ...tile }),
      sha256: createHash('sha256')
        .update(rows.get(`${tile.level}/${tile.index}`) ?? '')
        .digest('base64'),
    }));
    expect(edge).toEqual(partial);
  });

  test.each(go.paths)('finds them at $path', ({ level, index, width, path }) => {
    const resource = level === -1 ? ({ kind: 'entries', index, width } as const) : ({ kind: 'hashes', level, index, width } as const);
    expect(tilePath(resource)).toBe(path);
    expect(parseTilePath(path)).toEqual(resource);
  });
});

describe('what golang.org/x/mod/sumdb/note signs', () => {
  const witness: NoteSigner = signerOf('witness.example/w1', 9);
  const key = verifierKeyOf(logSigner, 'ed25519');
  const checkpoint = { origin, size: 600, root: rootOf(600) };
  const { note } = go;

  test('has the same keys', () => {
    expect(writeVerifierKey(key)).toBe(note.verifier);
    expect(writeVerifierKey(verifierKeyOf(signerOf('other.example/key', 8), 'ed25519'))).toBe(note.otherVerifier);
    expect(writeVerifierKey(verifierKeyOf(witness, 'cosignature/v1'))).toBe(note.witness.verifier);
    for (const text of [note.verifier, note.otherVerifier, note.witness.verifier]) {
      const read = readVerifierKey(text);
      expect(read === null ? null : writeVerifierKey(read)).toBe(text);
    }
  });

  test('is what we sign, to the byte', () => {
    expect(signCheckpoint(checkpoint, logSigner)).toBe(note.checkpoint);
    expect(signNote(parseNote(note.freeText)?.text ?? '', logSigner)).toBe(note.freeText);
  });

  test('is what we verify, other keys beside ours or not', () => {
    for (const signed of [note.checkpoint, note.signedByTwo]) {
      expect(readCheckpoint(signed, { key })).toMatchObject({ outcome: 'verified', checkpoint });
    }
    expect(parseNote(note.signedByTwo)?.signatures.map(({ name }) => name)).toEqual(['other.example/key', origin]);
  });

  test('is cosigned by a witness to the byte, which we verify', () => {
    const signed = parseNote(note.checkpoint);
    if (signed === null) throw new Error('no note');
    const { timestampSeconds, line, verifier } = note.witness;
    expect(cosign({ note: signed, witness, timestampSeconds })).toBe(line);
    const key = readVerifierKey(verifier);
    const cosigned = parseNote(note.checkpoint + line);
    if (key === null || cosigned === null) throw new Error('no key or no note');
    expect(readCosignatures(cosigned, [key])).toEqual([{ witness: key, timestampSeconds }]);
  });
});
