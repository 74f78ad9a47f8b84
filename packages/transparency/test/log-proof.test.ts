import { describe, expect, test } from 'vitest';
import {
  cosign,
  type LogProof,
  parseNote,
  proveInclusion,
  readLogProof,
  signCheckpoint,
  verifierKeyOf,
  verifyLogProof,
  writeLogProof,
} from '../src/index.ts';
import { logSigner, origin, signerOf } from './support/signers.ts';
import { flipped, leafHashes, storeTree } from './support/stored-tree.ts';

const leaves = leafHashes(700);
const index = 411;
const leafHash = leaves[index] ?? new Uint8Array();
const tree = await storeTree(leaves);
const witness = signerOf('witness.example/w1', 9);
const log = { key: verifierKeyOf(logSigner, 'ed25519') };
const signed = signCheckpoint({ origin, size: tree.size, root: tree.root }, logSigner);
const note = parseNote(signed);
if (note === null) throw new Error('no note');
const checkpoint = signed + cosign({ note, witness, timestampSeconds: 1_795_238_400 });
const proof: LogProof = {
  index,
  hashes: await proveInclusion({ index, size: tree.size, readTile: tree.readTile }),
  checkpoint,
  extra: null,
};
const text = writeLogProof(proof);
const reasonOf = (claim: Partial<Parameters<typeof verifyLogProof>[0]>): string => {
  const verification = verifyLogProof({ proof, leafHash, log, ...claim });
  return verification.outcome === 'refused' ? verification.reason : 'verified';
};

describe('a receipt', () => {
  test('is lines that say what the specification says', () => {
    const lines = text.split('\n');
    expect(lines.slice(0, 2)).toEqual(['c2sp.org/tlog-proof@v1', 'index 411']);
    expect(lines.slice(2, 2 + proof.hashes.length)).toEqual(proof.hashes.map((hash) => Buffer.from(hash).toString('base64')));
    expect(lines.slice(2 + proof.hashes.length)).toEqual(['', ...checkpoint.split('\n')]);
  });

  test('reads back, with extra data or without, and with no hashes', () => {
    for (const each of [proof, { ...proof, extra: Uint8Array.of(1, 2, 3) }, { ...proof, index: 0, hashes: [] }]) {
      const read = readLogProof(writeLogProof(each));
      expect(read === null ? null : writeLogProof(read)).toBe(writeLogProof(each));
      expect(read).toMatchObject({ index: each.index, checkpoint: each.checkpoint });
      expect(read?.hashes).toHaveLength(each.hashes.length);
      expect(read?.extra?.byteLength).toBe(each.extra?.byteLength);
    }
    expect(writeLogProof({ ...proof, extra: Uint8Array.of(1, 2, 3) })).toContain('@v1\nextra AQID\nindex 411\n');
  });

  test('proves its leaf by itself, and says which witnesses saw the log', () => {
    const read = readLogProof(text);
    if (read === null) throw new Error('no receipt');
    const key = verifierKeyOf(witness, 'cosignature/v1');
    expect(verifyLogProof({ proof: read, leafHash, log, witnesses: { keys: [key], atLeast: 1 } })).toMatchObject({
      outcome: 'verified',
      index,
      checkpoint: { origin, size: 700 },
      cosignatures: [{ timestampSeconds: 1_795_238_400 }],
    });
  });

  test('proves nothing for another leaf, index, hash, log, or with too few witnesses', () => {
    expect(reasonOf({})).toBe('verified');
    expect(reasonOf({ leafHash: flipped(leafHash) })).toBe('not_included');
    expect(reasonOf({ proof: { ...proof, index: index + 1 } })).toBe('not_included');
    expect(reasonOf({ proof: { ...proof, index: 700 } })).toBe('not_included');
    for (const at of proof.hashes.keys()) {
      const hashes = proof.hashes.map((hash, each) => (each === at ? flipped(hash, 255) : hash));
      expect(reasonOf({ proof: { ...proof, hashes } })).toBe('not_included');
    }
    expect(reasonOf({ proof: { ...proof, checkpoint: checkpoint.replace('\n700\n', '\n701\n') } })).toBe('bad_signature');
    expect(reasonOf({ proof: { ...proof, checkpoint: '' } })).toBe('malformed');
    expect(reasonOf({ log: { key: verifierKeyOf(signerOf(origin, 8), 'ed25519') } })).toBe('unsigned');
    expect(reasonOf({ log: { ...log, origin: 'x.example' } })).toBe('other_origin');
    const keys = [verifierKeyOf(witness, 'cosignature/v1')];
    expect(reasonOf({ witnesses: { keys, atLeast: 2 } })).toBe('too_few_witnesses');
    expect(reasonOf({ witnesses: { keys, atLeast: Number.NaN } })).toBe('too_few_witnesses');
  });

  test.each([
    ['another version', text.replace('@v1', '@v2')],
    ['no index', text.replace('index 411\n', '')],
    ['a leading zero', text.replace('index 411', 'index 0411')],
    ['a negative index', text.replace('index 411', 'index -411')],
    ['extra data after the index', text.replace('index 411\n', 'index 411\nextra AQID\n')],
    ['empty extra data', text.replace('index', 'extra \nindex')],
    ['extra data in another spelling', text.replace('index', 'extra AQI\nindex')],
    ['a short hash', text.replace('index 411\n', 'index 411\nAQID\n')],
    ['a hash in another spelling', text.replace('=\n', '\n')],
    ['54 hashes', text.replace('index 411\n', `index 411\n${`${Buffer.alloc(32).toString('base64')}\n`.repeat(54)}`)],
    ['no empty line', text.replaceAll('\n\n', '\n')],
    ['more than 1.1 MB', text + 'a'.repeat(1_100_000)],
    ['nothing', ''],
  ])('is not read with %s', (_, other) => {
    expect(other).not.toBe(text);
    expect(readLogProof(other)).toBeNull();
  });
});
