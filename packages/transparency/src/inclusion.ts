import type { TileReader } from './tile.ts';
import { readSpans } from './tile-hashes.ts';
import { hashLength, hashNode, isSameHash } from './tree-hash.ts';
import { inclusionSpans } from './tree-shape.ts';

const isIndexOf = (index: number, size: number): boolean =>
  Number.isSafeInteger(size) && Number.isInteger(index) && index >= 0 && index < size;

/**
 * The hashes that prove the leaf at an index (from 0) to be in the tree of a size, from the leaf's sibling up.
 * Reads two tiles a level at most, each once.
 *
 * @throws RangeError when the tree has no such leaf, or a tile not its size; whatever the reader rejects with.
 * @see RFC 6962 §2.1.1
 */
export const proveInclusion = async (leaf: {
  readonly index: number;
  readonly size: number;
  readonly readTile: TileReader;
}): Promise<readonly Uint8Array[]> => {
  if (!isIndexOf(leaf.index, leaf.size)) throw new RangeError(`a tree of ${leaf.size} has no leaf ${leaf.index}`);
  return readSpans(leaf, inclusionSpans(leaf));
};

/**
 * Whether the hashes prove that a leaf stands at an index (from 0) of the tree of this size and root.
 *
 * @see RFC 9162 §2.1.3.2
 */
export const verifyInclusion = (claim: {
  readonly index: number;
  readonly size: number;
  readonly root: Uint8Array;
  readonly leafHash: Uint8Array;
  readonly hashes: readonly Uint8Array[];
}): boolean => {
  if (!isIndexOf(claim.index, claim.size)) return false;
  if ([claim.leafHash, ...claim.hashes].some(({ byteLength }) => byteLength !== hashLength)) return false;
  let at = claim.index;
  let last = claim.size - 1;
  let hash = claim.leafHash;
  for (const sibling of claim.hashes) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      hash = hashNode(sibling, hash);
      // A node without a right neighbour goes up as it is, until it is one.
      while (at % 2 === 0 && at !== 0) {
        at /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      hash = hashNode(hash, sibling);
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && isSameHash(hash, claim.root);
};
