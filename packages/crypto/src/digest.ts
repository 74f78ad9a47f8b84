import { createHash, hash } from 'node:crypto';

/** SHA-256 of bytes, or of a text's UTF-8. 32 bytes. */
export const sha256 = (input: Uint8Array | string): Uint8Array => hash('sha256', input, 'buffer');

/** SHA-256 of bytes as they come: `end` gives the 32 bytes, once. */
export const createDigest = (): { readonly add: (bytes: Uint8Array) => void; readonly end: () => Uint8Array } => {
  const digest = createHash('sha256');
  return { add: (bytes) => void digest.update(bytes), end: () => digest.digest() };
};

/**
 * Eight hex digits that tell two secrets apart in a log.
 *
 * Only for secrets of high entropy (tokens, codes, client secrets): the digest has no key, so whoever reads it can try guesses
 * at a password or an email address.
 */
export const fingerprint = (secret: string): string => hash('sha256', secret, 'hex').slice(0, 8);
