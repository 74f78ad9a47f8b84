import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Sealed bytes do not open: altered, moved to another place, or sealed under a secret that is not at hand. Which of these is unknown. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken';
  constructor() {
    super('the sealed bytes do not open here');
  }
}

const nonceLength = 12;
const tagLength = 16;

/** AES-256-GCM under a 32-byte key: random nonce (12) ‖ ciphertext ‖ tag (16). */
export const encrypt = (input: { readonly key: Uint8Array; readonly plaintext: Uint8Array; readonly aad: Uint8Array }): Buffer => {
  const nonce = randomBytes(nonceLength);
  const cipher = createCipheriv('aes-256-gcm', input.key, nonce).setAAD(input.aad);
  return Buffer.concat([nonce, cipher.update(input.plaintext), cipher.final(), cipher.getAuthTag()]);
};

/** Undoes {@link encrypt}. @throws SealBroken for anything it did not write under this key and this associated data. */
export const decrypt = (input: { readonly key: Uint8Array; readonly sealed: Uint8Array; readonly aad: Uint8Array }): Buffer => {
  if (input.sealed.byteLength < nonceLength + tagLength) throw new SealBroken();
  // The tag's length is stated: without it Node would accept a tag cut to four bytes.
  const decipher = createDecipheriv('aes-256-gcm', input.key, input.sealed.subarray(0, nonceLength), { authTagLength: tagLength });
  decipher.setAAD(input.aad).setAuthTag(input.sealed.subarray(-tagLength));
  const plaintext = decipher.update(input.sealed.subarray(nonceLength, -tagLength));
  try {
    return Buffer.concat([plaintext, decipher.final()]);
  } catch {
    throw new SealBroken();
  }
};
