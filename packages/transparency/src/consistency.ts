import type { TileReader } from './tile.ts';
import { readSpans } from './tile-hashes.ts';
import { emptyRoot, hashLength, hashNode, isSameHash } from './tree-hash.ts';
import { completeSubtrees, consistencySpans } from './tree-shape.ts';

const isGrowth = (oldSize: number, newSize: number): boolean =>
  Number.isSafeInteger(oldSize) && Number.isSafeInteger(newSize) && oldSize >= 0 && oldSize <= newSize;

/**
 * The hashes that prove the tree of one size to be the beginning of that of another. None where the sizes are equal, or the old one is 0.
 *
 * @param trees.readTile reads tiles of the larger tree.
 * @throws RangeError when the tree did not grow, or a tile has not its size; whatever the reader rejects with.
 * @see RFC 6962 §2.1.2
 */
export const proveConsistency = async (trees: {
  readonly oldSize: number;
  readonly newSize: number;
  readonly readTile: TileReader;
}): Promise<readonly Uint8Array[]> => {
  const { oldSize, newSize, readTile } = trees;
  if (!isGrowth(oldSize, newSize)) throw new RangeError(`a tree of ${oldSize} does not become one of ${newSize}`);
  return readSpans({ size: newSize, readTile }, consistencySpans(trees));
};

type Claim = {
  readonly oldSize: number;
  readonly oldRoot: Uint8Array;
  readonly newSize: number;
  readonly newRoot: Uint8Array;
  readonly hashes: readonly Uint8Array[];
};

const verifyGrowth = ({ oldSize, oldRoot, newSize, newRoot, hashes }: Claim): boolean => {
  // A complete tree is itself the first of the hashes, and is not repeated.
  const isComplete = completeSubtrees({ from: 0, to: oldSize }).length === 1;
  const [first, ...rest] = isComplete ? [oldRoot, ...hashes] : hashes;
  if (hashes.length === 0 || first === undefined) return false;
  let at = oldSize - 1;
  let last = newSize - 1;
  while (at % 2 === 1) {
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  let before = first;
  let after = first;
  for (const hash of rest) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      before = hashNode(hash, before);
      after = hashNode(hash, after);
      while (at % 2 === 0 && at !== 0) {
        at /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      after = hashNode(after, hash);
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && isSameHash(before, oldRoot) && isSameHash(after, newRoot);
};

/**
 * Whether the hashes prove that the tree of the old size and root is the beginning of that of the new ones.
 *
 * @see RFC 9162 §2.1.4.2
 */
export const verifyConsistency = (claim: Claim): boolean => {
  const { oldSize, oldRoot, newSize, newRoot, hashes } = claim;
  if (!isGrowth(oldSize, newSize)) return false;
  if ([oldRoot, newRoot, ...hashes].some(({ byteLength }) => byteLength !== hashLength)) return false;
  if (oldSize === newSize) return hashes.length === 0 && isSameHash(oldRoot, newRoot);
  if (oldSize === 0) return hashes.length === 0 && isSameHash(oldRoot, emptyRoot());
  return verifyGrowth(claim);
};
