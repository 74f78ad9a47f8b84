import { signEd25519, verifyEd25519, verifyMlDsa44 } from '@grantlog/crypto';
import { parseBody } from './checkpoint.ts';
import { type NoteSigner, type VerifierKey, verifierKeyOf } from './note-key.ts';
import { type NoteSignature, type SignedNote, signaturesOf, writeSignature } from './signed-note.ts';

/** A witness' word: at this time, the checkpoint was that of the largest tree it had seen of the log, and consistent with all before. */
export type Cosignature = {
  readonly witness: VerifierKey;
  /** Seconds since the epoch. */
  readonly timestampSeconds: number;
};

const uint64 = (number: number): Uint8Array => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(number));
  return bytes;
};

const messageOf = (text: string, timestampSeconds: number): Uint8Array =>
  Buffer.from(`cosignature/v1\ntime ${timestampSeconds}\n${text}`, 'utf8');

/**
 * The line by which a witness signs a checkpoint, to be put at the end of its note. Whether the checkpoint is consistent with what
 * the witness saw before is for the caller to know.
 *
 * @throws RangeError for a time that is no whole number from 0, and for a signer without a proper name or key.
 * @see https://c2sp.org/tlog-cosignature
 */
export const cosign = (signed: { readonly note: SignedNote; readonly witness: NoteSigner; readonly timestampSeconds: number }): string => {
  const { note, witness, timestampSeconds } = signed;
  if (!Number.isSafeInteger(timestampSeconds) || timestampSeconds < 0)
    throw new RangeError(`${timestampSeconds} is not a time in whole seconds`);
  const { name, keyId } = verifierKeyOf(witness, 'cosignature/v1');
  const signature = signEd25519(witness.key, messageOf(note.text, timestampSeconds));
  return writeSignature({ name, keyId, bytes: Buffer.concat([uint64(timestampSeconds), signature]) });
};

/** After its length, one byte. Null for what is empty or longer than that can say. */
const prefixed = (text: string): Uint8Array | null => {
  const bytes = Buffer.from(text, 'utf8');
  return bytes.byteLength === 0 || bytes.byteLength > 255 ? null : Buffer.concat([Buffer.of(bytes.byteLength), bytes]);
};

/** What a witness signs by ML-DSA-44: itself, the time, and of the checkpoint the tree alone. Null where there is no such message. */
const treeMessageOf = (text: string, cosigner: string, timestampSeconds: number): Uint8Array | null => {
  const checkpoint = parseBody(text);
  const [name, origin] = [prefixed(cosigner), prefixed(checkpoint?.origin ?? '')];
  if (checkpoint === null || name === null || origin === null) return null;
  const { size, root } = checkpoint;
  const label = Buffer.from('subtree/v1\n\0', 'latin1');
  return Buffer.concat([label, name, uint64(timestampSeconds), origin, uint64(0), uint64(size), root]);
};

const isSignedBy = (witness: VerifierKey, { text }: SignedNote, timestampSeconds: number, signature: Uint8Array): boolean => {
  const { name, algorithm, publicKey } = witness;
  switch (algorithm) {
    case 'ed25519':
      return false;
    case 'cosignature/v1':
      return verifyEd25519({ publicKey, bytes: messageOf(text, timestampSeconds), signature });
    case 'subtree/v1': {
      const bytes = treeMessageOf(text, name, timestampSeconds);
      // Without a time it says nothing of what is the largest tree.
      return bytes !== null && timestampSeconds > 0 && verifyMlDsa44({ publicKey, bytes, signature });
    }
  }
};

const verify = (note: SignedNote, witness: VerifierKey, { bytes }: NoteSignature): readonly Cosignature[] => {
  if (bytes.byteLength <= 8) return [];
  const timestampSeconds = Number(Buffer.from(bytes).readBigUInt64BE(0));
  if (!Number.isSafeInteger(timestampSeconds)) return [];
  return isSignedBy(witness, note, timestampSeconds, bytes.subarray(8)) ? [{ witness, timestampSeconds }] : [];
};

/**
 * The cosignatures of a checkpoint by these witnesses, one a witness at most, the latest. One that does not verify counts for nothing.
 *
 * @param witnesses keys of `cosignature/v1` and `subtree/v1`; others are passed over.
 * @see https://c2sp.org/tlog-cosignature
 */
export const readCosignatures = (note: SignedNote, witnesses: readonly VerifierKey[]): readonly Cosignature[] => {
  // One witness is one public key, however many names it is listed under: not every message says the name.
  const latest = new Map<string, Cosignature>();
  for (const witness of witnesses.filter(({ algorithm }) => algorithm !== 'ed25519')) {
    const key = Buffer.from(witness.publicKey).toString('hex');
    for (const found of signaturesOf(note, witness).flatMap((signature) => verify(note, witness, signature))) {
      if (found.timestampSeconds >= (latest.get(key)?.timestampSeconds ?? 0)) latest.set(key, found);
    }
  }
  return [...latest.values()];
};
