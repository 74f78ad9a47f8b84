import { createPublicKey, verify } from 'node:crypto';

const publicKeyLength = 1_312;
const signatureLength = 2_420;
// RFC 9881 §4: the fixed head of an SPKI of ML-DSA-44, then its key.
const spkiHead = Buffer.from('30820532300b06096086480165030403110382052100', 'hex');

/**
 * Whether a public key of 1,312 bytes made this signature over these bytes, without a context. False, too, for a key or a signature of
 * another length.
 *
 * @see FIPS 204, ML-DSA-44
 */
export const verifyMlDsa44 = (signed: {
  readonly publicKey: Uint8Array;
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
}): boolean => {
  if (signed.publicKey.byteLength !== publicKeyLength || signed.signature.byteLength !== signatureLength) return false;
  const key = createPublicKey({ key: Buffer.concat([spkiHead, signed.publicKey]), format: 'der', type: 'spki' });
  return verify(null, signed.bytes, key, signed.signature);
};
