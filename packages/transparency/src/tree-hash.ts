import { sha256 } from '@grantlog/crypto';

/** Bytes in a hash of the tree. */
export const hashLength = 32;

/**
 * The hash of one leaf, SHA-256(0x00 ‖ bytes). 32 bytes.
 *
 * @see RFC 6962 §2.1
 */
export const hashLeaf = (bytes: Uint8Array): Uint8Array => {
  const prefixed = Buffer.allocUnsafe(1 + bytes.byteLength);
  prefixed[0] = 0;
  prefixed.set(bytes, 1);
  return sha256(prefixed);
};

/**
 * The hash of two halves, SHA-256(0x01 ‖ left ‖ right). Both have 32 bytes.
 *
 * @see RFC 6962 §2.1
 */
export const hashNode = (left: Uint8Array, right: Uint8Array): Uint8Array => {
  const prefixed = Buffer.allocUnsafe(1 + 2 * hashLength);
  prefixed[0] = 1;
  prefixed.set(left, 1);
  prefixed.set(right, 1 + hashLength);
  return sha256(prefixed);
};

/** The root of the tree without leaves: SHA-256 of nothing. */
export const emptyRoot = (): Uint8Array => sha256('');

/** Not in constant time: the hashes of a public tree are no secrets. */
export const isSameHash = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;
