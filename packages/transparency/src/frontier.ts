import { emptyRoot, hashNode } from './tree-hash.ts';

/** A tree of which nothing is kept but the hashes of its complete subtrees: one for each bit of its size. */
export type Frontier = {
  readonly size: () => number;
  /** Adds a leaf and tells of each subtree that it completes, from the leaf itself (height 0) up. */
  readonly append: (leafHash: Uint8Array, completed?: (height: number, hash: Uint8Array) => void) => void;
  /** Adds 2^height leaves by the hash of their subtree. @throws RangeError where none so high begins at this size. */
  readonly appendSubtree: (height: number, hash: Uint8Array) => void;
  readonly root: () => Uint8Array;
};

/** Goes on from a tree of this size whose complete subtrees, from left to right, have these hashes. */
export const createFrontier = (from: { readonly size: number; readonly hashes: readonly Uint8Array[] }): Frontier => {
  const hashes = [...from.hashes];
  let { size } = from;
  const add = (bottom: number, subtree: Uint8Array, completed?: (height: number, hash: Uint8Array) => void): void => {
    let hash = subtree;
    let rest = size / 2 ** bottom;
    for (let height = bottom + 1; rest % 2 === 1; height += 1) {
      // There is one for each bit of the size.
      hash = hashNode(hashes.pop() as Uint8Array, hash);
      completed?.(height, hash);
      rest = (rest - 1) / 2;
    }
    hashes.push(hash);
    size += 2 ** bottom;
  };
  return {
    size: () => size,
    append: (leafHash, completed) => {
      completed?.(0, leafHash);
      add(0, leafHash, completed);
    },
    appendSubtree: (height, hash) => {
      if (size % 2 ** height !== 0) throw new RangeError(`no subtree of 2^${height} leaves begins at ${size}`);
      add(height, hash);
    },
    root: () => (size === 0 ? emptyRoot() : hashes.reduceRight((right, left) => hashNode(left, right))),
  };
};
