import { ed25519PublicKey, type SigningKey, sha256 } from '@grantlog/crypto';
import { fromBase64, toBase64 } from './base64.ts';

/**
 * What a key signs: the text of a note (`ed25519`), or a witness' word about a checkpoint at a time, by Ed25519 (`cosignature/v1`) or
 * by ML-DSA-44 (`subtree/v1`).
 */
export type NoteAlgorithm = 'ed25519' | 'cosignature/v1' | 'subtree/v1';

/** A key that verifies signatures of notes. Name and id together name it in a note. */
export type VerifierKey = {
  readonly name: string;
  /** The first four bytes of a hash over name, algorithm and key, as a number. No protection against keys that are made to collide. */
  readonly keyId: number;
  readonly algorithm: NoteAlgorithm;
  /** 32 bytes; of `subtree/v1` 1,312. */
  readonly publicKey: Uint8Array;
};

/** A private key of Ed25519 under the name that it has in notes. */
export type NoteSigner = { readonly name: string; readonly key: SigningKey };

const algorithmByte = { ed25519: 0x01, 'cosignature/v1': 0x04, 'subtree/v1': 0x06 } as const satisfies Record<NoteAlgorithm, number>;
const keyLength = { ed25519: 32, 'cosignature/v1': 32, 'subtree/v1': 1_312 } as const satisfies Record<NoteAlgorithm, number>;

/** Whether a key may have this name in a note: not empty, no white space of Unicode, no plus, no control character. */
export const isKeyName = (name: string): boolean =>
  name !== '' && name.isWellFormed() && !/[\p{White_Space}+]/u.test(name) && !hasControl(name);

/** Whether a text has characters of ASCII below the space, apart from those allowed. */
export const hasControl = (text: string, allowed = ''): boolean => {
  for (let at = 0; at < text.length; at += 1) {
    if (text.charCodeAt(at) < 0x20 && !allowed.includes(text.charAt(at))) return true;
  }
  return false;
};

const keyBytes = (algorithm: NoteAlgorithm, publicKey: Uint8Array): Uint8Array =>
  Buffer.concat([Buffer.of(algorithmByte[algorithm]), publicKey]);

const keyIdOf = (name: string, key: Uint8Array): number =>
  Buffer.from(sha256(Buffer.concat([Buffer.from(`${name}\n`, 'utf8'), key]))).readUInt32BE(0);

/**
 * The key that verifies what a signer signs.
 *
 * @throws RangeError for a name that no key may have, or a key that is not one of Ed25519.
 * @see https://c2sp.org/signed-note
 */
export const verifierKeyOf = ({ name, key }: NoteSigner, algorithm: Exclude<NoteAlgorithm, 'subtree/v1'>): VerifierKey => {
  if (!isKeyName(name)) throw new RangeError(`${JSON.stringify(name)} is no name of a key: it is empty, or has white space or a plus`);
  const publicKey = ed25519PublicKey(key);
  return { name, keyId: keyIdOf(name, keyBytes(algorithm, publicKey)), algorithm, publicKey };
};

const hexOf = (keyId: number): string => keyId.toString(16).padStart(8, '0');

/** A key as text, to be handed to whoever verifies: name, id in hex and, in base64, algorithm and key, joined by plus signs. */
export const writeVerifierKey = ({ name, keyId, algorithm, publicKey }: VerifierKey): string =>
  `${name}+${hexOf(keyId)}+${toBase64(keyBytes(algorithm, publicKey))}`;

/** Reads a key's text. Null for any that {@link writeVerifierKey} would not write, which includes an id that is not the key's. */
export const readVerifierKey = (text: string): VerifierKey | null => {
  // The base64 of a key may itself have a plus.
  const [, name = '', id = '', encoded = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/s.exec(text) ?? [];
  const key = fromBase64(encoded);
  if (!isKeyName(name) || key === null || keyIdOf(name, key) !== Number.parseInt(id, 16)) return null;
  const algorithm = (['ed25519', 'cosignature/v1', 'subtree/v1'] as const).find((each) => algorithmByte[each] === key[0]);
  if (algorithm === undefined || key.byteLength !== 1 + keyLength[algorithm]) return null;
  return { name, keyId: keyIdOf(name, key), algorithm, publicKey: key.subarray(1) };
};
