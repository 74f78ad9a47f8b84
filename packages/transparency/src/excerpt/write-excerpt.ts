import type { TileReader } from '../tile.ts';
import { completeSubtrees } from '../tree-shape.ts';
import { type ExcerptHead, writeEnd, writeEvent, writeHead, writeSkip } from './line.ts';
import { subtreeHashes } from './subtree-hashes.ts';

/** An event of an excerpt. */
export type ExcerptedEvent = {
  /** Of its leaf in the tree, from 0. */
  readonly index: number;
  /** As `leafOf` writes it. */
  readonly leaf: Uint8Array;
  /** The sealed personal data as it is stored, where the excerpt is to have it. */
  readonly personal: Uint8Array | null;
};

/** Lines are given out together once they are so many bytes. */
const fullPiece = 64 * 1024;

const sizesOf = (boundaries: readonly number[], size: number): readonly number[] => {
  const isSize = (value: number): boolean => Number.isSafeInteger(value) && value >= 0 && value <= size;
  if (!boundaries.every(isSize)) throw new RangeError(`a boundary is a size of the tree, 0 to ${size}`);
  return [...new Set(boundaries)].sort((one, other) => one - other);
};

/**
 * Writes an excerpt of a log: the given events, and hashes for everything between them, so that whoever has the log's key can verify it by
 * itself. What comes out are bytes of whole lines, some 64 KB at a time; memory does not grow with the excerpt, and each tile is read once.
 *
 * The hash beside an event is that of the tree: a row that was changed since is written as it is, and named by whoever verifies.
 *
 * @param excerpt.checkpoint of the tree that the excerpt is of: its note, and the size and root that the note says.
 * @param excerpt.events in the order of their indexes, which are below the checkpoint's size.
 * @param excerpt.readTile reads tiles of that tree.
 * @param excerpt.boundaries sizes of other checkpoints up to this one, with which the excerpt shall be comparable as well.
 * @throws RangeError for an event out of order or beyond the checkpoint, for a boundary that is no size of the tree, and for a head that
 * has no canonical form; FalseTiles where the tiles do not hash to the checkpoint's root; whatever the readers reject with.
 * @see verifyExcerpt, and the README beside this file for the format
 */
export async function* writeExcerpt(excerpt: {
  readonly head: Omit<ExcerptHead, 'checkpoint'>;
  readonly checkpoint: { readonly note: string; readonly size: number; readonly root: Uint8Array };
  readonly events: AsyncIterable<ExcerptedEvent>;
  readonly readTile: TileReader;
  readonly boundaries?: readonly number[];
}): AsyncGenerator<Uint8Array, void, void> {
  const { head, checkpoint, events, readTile, boundaries = [] } = excerpt;
  const { note, size, root } = checkpoint;
  const stops = sizesOf(boundaries, size);
  const hashOf = subtreeHashes({ size, root, readTile });
  let piece: Uint8Array[] = [];
  let length = 0;
  let index = 0;
  let count = 0;

  const put = (...parts: readonly Uint8Array[]): void => {
    for (const part of parts) length += part.byteLength;
    piece.push(...parts);
  };
  const putLine = (line: string): void => put(Buffer.from(line, 'utf8'));
  const take = (): Uint8Array => {
    const bytes = Buffer.concat(piece, length);
    piece = [];
    length = 0;
    return bytes;
  };
  const skipTo = async (next: number): Promise<void> => {
    for (const to of [...stops.filter((stop) => stop > index && stop < next), next]) {
      const hashes: Uint8Array[] = [];
      for (const node of completeSubtrees({ from: index, to })) hashes.push(await hashOf(node));
      putLine(writeSkip({ from: index, to }, hashes));
      index = to;
    }
  };

  putLine(writeHead({ ...head, checkpoint: note }));
  for await (const event of events) {
    if (!Number.isSafeInteger(event.index) || event.index < index || event.index >= size)
      throw new RangeError(`an event at index ${event.index} does not come after ${index} others of a tree of ${size}`);
    if (event.index > index) await skipTo(event.index);
    put(...writeEvent(event.leaf, await hashOf({ height: 0, index }), event.personal));
    index += 1;
    count += 1;
    if (length >= fullPiece) yield take();
  }
  if (index < size) await skipTo(size);
  putLine(writeEnd(count));
  yield take();
}
