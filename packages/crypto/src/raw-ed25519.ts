import { createPublicKey, sign, verify } from 'node:crypto';
import type { SigningKey } from './signing-keys.ts';

const requireEd25519 = ({ alg, kid }: SigningKey): void => {
  if (alg !== 'EdDSA') throw new RangeError(`key ${kid} is one for ${alg}, where Ed25519 is needed`);
};

/**
 * Signs bytes as they are: no header, no hash before. 64 bytes, and the same ones each time.
 *
 * @throws RangeError for a key of another algorithm.
 * @see RFC 8032 §5.1
 */
export const signEd25519 = (key: SigningKey, bytes: Uint8Array): Uint8Array => {
  requireEd25519(key);
  return sign(null, bytes, key.privateKey);
};

/**
 * The 32 bytes of a signing key's public half.
 *
 * @throws RangeError for a key of another algorithm.
 */
export const ed25519PublicKey = (key: SigningKey): Uint8Array => {
  requireEd25519(key);
  return Buffer.from(key.publicJwk.x ?? '', 'base64url');
};

/** Whether a public key of 32 bytes made this signature over these bytes. False, too, for a key or a signature of another length. */
export const verifyEd25519 = (signed: {
  readonly publicKey: Uint8Array;
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
}): boolean => {
  if (signed.publicKey.byteLength !== 32 || signed.signature.byteLength !== 64) return false;
  const x = Buffer.from(signed.publicKey).toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return verify(null, signed.bytes, key, signed.signature);
};
