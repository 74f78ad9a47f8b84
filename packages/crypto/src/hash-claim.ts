import { hash } from 'node:crypto';
import type { SigningAlg } from './signing-keys.ts';

const digestOf = { RS256: 'sha256', ES256: 'sha256', EdDSA: 'sha512' } as const satisfies Record<SigningAlg, string>;

/**
 * The value of `at_hash` or `c_hash`: the left half of the hash that the ID token's algorithm uses, over the token or code.
 * Ed25519 hashes with SHA-512, so its halves are 32 bytes.
 *
 * @see OpenID Connect Core 1.0 §3.1.3.6, §3.3.2.11
 */
export const hashClaim = (alg: SigningAlg, value: string): string => {
  const digest = hash(digestOf[alg], value, 'buffer');
  return digest.subarray(0, digest.byteLength / 2).toString('base64url');
};
