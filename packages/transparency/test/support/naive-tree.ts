import { emptyRoot, hashNode } from '../../src/index.ts';

type Hashes = readonly Uint8Array[];

const split = (count: number): number => 2 ** Math.ceil(Math.log2(count) - 1);
const only = (hashes: Hashes): Uint8Array => {
  const [hash] = hashes;
  if (hash === undefined || hashes.length !== 1) throw new Error('not one hash');
  return hash;
};

/** MTH of RFC 6962 §2.1, word for word, over leaf hashes. */
export const naiveRoot = (leaves: Hashes): Uint8Array => {
  if (leaves.length === 0) return emptyRoot();
  if (leaves.length === 1) return only(leaves);
  const k = split(leaves.length);
  return hashNode(naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)));
};

/** PATH of RFC 6962 §2.1.1. */
export const naiveInclusion = (index: number, leaves: Hashes): Hashes => {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  return index < k
    ? [...naiveInclusion(index, leaves.slice(0, k)), naiveRoot(leaves.slice(k))]
    : [...naiveInclusion(index - k, leaves.slice(k)), naiveRoot(leaves.slice(0, k))];
};

const subproof = (size: number, leaves: Hashes, isWhole: boolean): Hashes => {
  if (size === leaves.length) return isWhole ? [] : [naiveRoot(leaves)];
  const k = split(leaves.length);
  return size <= k
    ? [...subproof(size, leaves.slice(0, k), isWhole), naiveRoot(leaves.slice(k))]
    : [...subproof(size - k, leaves.slice(k), false), naiveRoot(leaves.slice(0, k))];
};

/** PROOF of RFC 6962 §2.1.2. */
export const naiveConsistency = (oldSize: number, leaves: Hashes): Hashes => subproof(oldSize, leaves, true);
