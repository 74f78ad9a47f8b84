import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseNote, readCheckpoint, readCosignatures, readVerifierKey, type VerifierKey, writeVerifierKey } from '../src/index.ts';
import { flipped } from './support/stored-tree.ts';
import torchwood from './vectors/torchwood.json' with { type: 'json' };

const required = <Value>(value: Value | null | undefined): Value => {
  if (value === null || value === undefined) throw new Error('the vectors are not complete');
  return value;
};
const keyOf = (text: string): VerifierKey => required(readVerifierKey(text));
const note = required(parseNote(torchwood.note));
const witnesses = torchwood.witnesses.map(keyOf);
const byMlDsa = required(witnesses.find(({ algorithm }) => algorithm === 'subtree/v1'));
const line = required(note.signatures.find(({ name }) => name === byMlDsa.name));

describe('what filippo.io/torchwood makes of a checkpoint', () => {
  test('is read: the signature of the log, and cosignatures of both kinds', () => {
    expect(readCheckpoint(torchwood.note, { key: keyOf(torchwood.log) })).toMatchObject({
      outcome: 'verified',
      checkpoint: { origin: 'example.com/log', size: 20_852_163 },
    });
    const read = readCosignatures(note, witnesses);
    expect(read.map(({ witness }) => [witness.name, witness.algorithm])).toEqual([
      ['example.com/w1', 'cosignature/v1'],
      ['example.com/w2', 'cosignature/v1'],
      ['example.com/w3', 'cosignature/v1'],
      ['example.com/pq', 'subtree/v1'],
    ]);
    expect(new Set(read.map(({ timestampSeconds }) => timestampSeconds))).toEqual(new Set([0x6abe72da]));
  });

  test('has keys that are written as they were read', () => {
    expect(torchwood.witnesses.map((text) => writeVerifierKey(keyOf(text)))).toEqual(torchwood.witnesses);
  });
});

describe('a cosignature by ML-DSA-44 counts for nothing', () => {
  const isCounted = (changed: Partial<typeof note>, key = byMlDsa): boolean => readCosignatures({ ...note, ...changed }, [key]).length > 0;
  const withBytes = (bytes: Uint8Array) => ({ signatures: [{ ...line, bytes }] });

  test('with any part of it changed, cut off or added', () => {
    expect(isCounted(withBytes(line.bytes))).toBe(true);
    // The time, and some of the signature.
    for (const bit of [0, 63, 64, 8 * 1_000, 8 * 2_427 + 7]) expect(isCounted(withBytes(flipped(line.bytes, bit)))).toBe(false);
    for (const bytes of [line.bytes.subarray(0, -1), Buffer.concat([line.bytes, Buffer.of(0)]), line.bytes.subarray(0, 8)])
      expect(isCounted(withBytes(bytes))).toBe(false);
  });

  test.each([
    ['origin', (text: string) => text.replace('/log', '/lot')],
    ['size', (text: string) => text.replace('163', '164')],
    ['root', (text: string) => text.replace('CsUY', 'CsUZ')],
    ['form', (text: string) => text.replace('\n', '\n\n')],
    ['origin, which is longer than a message can say', (text: string) => `${'o'.repeat(256)}${text.slice(text.indexOf('\n'))}`],
  ])('over another %s', (_, change) => {
    expect(change(note.text)).not.toBe(note.text);
    expect(isCounted({ text: change(note.text) })).toBe(false);
  });

  test('under another name, for the message says it', () => {
    const signatures = [{ ...line, name: 'example.com/pr' }];
    expect(isCounted({ signatures }, { ...byMlDsa, name: 'example.com/pr' })).toBe(false);
  });

  test('of a key of another length', () => {
    expect(isCounted({}, { ...byMlDsa, publicKey: byMlDsa.publicKey.subarray(1) })).toBe(false);
  });

  test('without a time: it then says nothing of what is the largest tree', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ml-dsa-44');
    const own = { ...byMlDsa, name: 'a', publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(-1_312) };
    const signedAt = (seconds: number) => {
      const [time, size] = [Buffer.alloc(8), Buffer.alloc(8)];
      time.writeUInt32BE(seconds, 4);
      size.writeUInt32BE(20_852_163, 4);
      const root = Buffer.from('CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=', 'base64');
      const message = [Buffer.from('subtree/v1\n\0\x01a'), time, Buffer.from('\x0fexample.com/log'), Buffer.alloc(8), size, root];
      return { signatures: [{ ...line, name: 'a', bytes: Buffer.concat([time, sign(null, Buffer.concat(message), privateKey)]) }] };
    };
    expect([isCounted(signedAt(1), own), isCounted(signedAt(0), own)]).toEqual([true, false]);
  });
});
