import { createHash } from 'node:crypto';
import {
  type ExcerptedEvent,
  type ExcerptVerification,
  hashLeaf,
  leafOf,
  signCheckpoint,
  verifierKeyOf,
  verifyExcerpt,
  writeExcerpt,
} from '../../src/index.ts';
import { event } from './events.ts';
import { naiveRoot } from './naive-tree.ts';
import { logSigner, origin } from './signers.ts';
import { type StoredTree, storeTree } from './stored-tree.ts';

/** The log begins behind this position. */
export const base = 40;
export const log = { key: verifierKeyOf(logSigner, 'ed25519') };

const sealedOf = (index: number): Uint8Array => Buffer.from(`sealed ${index} `.repeat(1 + (index % 4)));

/** An event as the log has it. Every third one has a sealed part. */
export const logged = (
  index: number,
  data: object = { index, text: 'ä",\\', also: { a: 1, hash: 'x', personal: 'y' } },
): ExcerptedEvent => {
  const personal = index % 3 === 0 ? sealedOf(index) : null;
  const personalDigest = personal === null ? null : createHash('sha256').update(personal).digest('base64url');
  return { index, leaf: leafOf({ ...event, position: base + index + 1, data: { ...data }, personalDigest }), personal };
};

export const events = Array.from({ length: 700 }, (_, index) => logged(index));
export const hashes: readonly Uint8Array[] = events.map(({ leaf }) => Uint8Array.from(hashLeaf(leaf)));

export const range = (from: number, to: number): readonly number[] => Array.from({ length: to - from }, (_, n) => from + n);
export const pick = (indexes: readonly number[]): readonly ExcerptedEvent[] => indexes.map((index) => events[index] ?? logged(index));

export const noteOf = (leafHashes: readonly Uint8Array[], signer = logSigner): string =>
  signCheckpoint({ origin, size: leafHashes.length, root: naiveRoot(leafHashes) }, signer);
export const noteAt = (size: number): string => noteOf(hashes.slice(0, size));

const trees = new Map<number, Promise<StoredTree>>();
/** The tree of the first events, made once a size. */
export const treeOf = (size: number): Promise<StoredTree> => {
  const known = trees.get(size) ?? storeTree(hashes.slice(0, size));
  trees.set(size, known);
  return known;
};

export async function* each<Value>(values: Iterable<Value>): AsyncGenerator<Value> {
  yield* values;
}

type Wanted = {
  readonly size: number;
  readonly events: readonly ExcerptedEvent[];
  readonly boundaries?: readonly number[];
  readonly note?: string;
};

/** The whole file. */
export const write = async (wanted: Wanted): Promise<string> => {
  const { size, note = noteAt(size), boundaries = [] } = wanted;
  const { root, readTile } = await treeOf(size);
  const head = { platform: event.platform, lineage: '1', base, about: { type: 'grant.*' } };
  const pieces: Uint8Array[] = [];
  const excerpt = writeExcerpt({ head, checkpoint: { note, size, root }, events: each(wanted.events), readTile, boundaries });
  for await (const piece of excerpt) pieces.push(piece);
  return Buffer.concat(pieces).toString('utf8');
};

/** Verifies a file that comes in pieces of so many bytes. */
export const verify = (file: string | Uint8Array, trusted: readonly string[] = [], pieceLength = 1_000): Promise<ExcerptVerification> => {
  const bytes = typeof file === 'string' ? Buffer.from(file, 'utf8') : file;
  const pieces = Array.from({ length: Math.ceil(bytes.byteLength / pieceLength) }, (_, n) =>
    bytes.subarray(n * pieceLength, (n + 1) * pieceLength),
  );
  return verifyExcerpt({ excerpt: each(pieces), log, trusted });
};

export const linesOf = (file: string): readonly string[] => file.slice(0, -1).split('\n');
export const fileOf = (lines: readonly string[]): string => `${lines.join('\n')}\n`;
