import { signEd25519, verifyEd25519 } from '@grantlog/crypto';
import { type NoteSigner, type VerifierKey, verifierKeyOf } from './note-key.ts';
import { type NoteSignature, type SignedNote, signaturesOf, writeSignature } from './signed-note.ts';

/** A witness' word: at this time, the checkpoint was that of the largest tree it had seen of the log, and consistent with all before. */
export type Cosignature = {
  readonly witness: VerifierKey;
  /** Seconds since the epoch. */
  readonly timestampSeconds: number;
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
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(timestampSeconds));
  return writeSignature({ name, keyId, bytes: Buffer.concat([time, signEd25519(witness.key, messageOf(note.text, timestampSeconds))]) });
};

const verify = (note: SignedNote, witness: VerifierKey, { bytes }: NoteSignature): readonly Cosignature[] => {
  if (bytes.byteLength !== 8 + 64) return [];
  const timestampSeconds = Number(Buffer.from(bytes).readBigUInt64BE(0));
  if (!Number.isSafeInteger(timestampSeconds)) return [];
  const signed = { publicKey: witness.publicKey, bytes: messageOf(note.text, timestampSeconds), signature: bytes.subarray(8) };
  return verifyEd25519(signed) ? [{ witness, timestampSeconds }] : [];
};

/**
 * The cosignatures of a checkpoint by these witnesses, one a witness at most, the latest. One that does not verify counts for nothing.
 *
 * @param witnesses keys of `cosignature/v1`; others are passed over.
 * @see https://c2sp.org/tlog-cosignature
 */
export const readCosignatures = (note: SignedNote, witnesses: readonly VerifierKey[]): readonly Cosignature[] => {
  // One witness is one public key, however many names it is listed under: the message does not say the name.
  const latest = new Map<string, Cosignature>();
  for (const witness of witnesses.filter(({ algorithm }) => algorithm === 'cosignature/v1')) {
    const key = Buffer.from(witness.publicKey).toString('hex');
    for (const found of signaturesOf(note, witness).flatMap((signature) => verify(note, witness, signature))) {
      if (found.timestampSeconds >= (latest.get(key)?.timestampSeconds ?? 0)) latest.set(key, found);
    }
  }
  return [...latest.values()];
};
