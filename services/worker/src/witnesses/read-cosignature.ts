import { parseNote, readCosignatures, type VerifierKey } from '@grantlog/transparency';

const minute = 60_000;
/** By how much clocks may differ. */
const skewMs = 5 * minute;

/** A line of signature that the witness' key has made over a checkpoint. */
export type ReadCosignature = { readonly line: string; readonly timestampSeconds: number };

/**
 * Finds in an answer the witness' cosignature of a checkpoint: lines of other keys count for nothing, and neither does one that does
 * not verify, that says it was made before the checkpoint was, or in the future. Null where none is left.
 *
 * @see https://c2sp.org/tlog-witness, https://c2sp.org/tlog-cosignature
 */
export const readCosignature = (
  answer: string,
  of: { readonly note: string; readonly signedAt: Date; readonly key: VerifierKey; readonly now: number },
): ReadCosignature | null => {
  const { note, signedAt, key, now } = of;
  const text = note.slice(0, note.lastIndexOf('\n\n') + 2);
  // The answer is nothing but lines of signature, or it is none.
  if (parseNote(note + answer) === null) return null;
  let latest: ReadCosignature | null = null;
  for (const line of answer.split('\n').map((each) => `${each}\n`)) {
    const alone = parseNote(text + line);
    const [found] = alone === null ? [] : readCosignatures(alone, [key]);
    if (found === undefined) continue;
    const { timestampSeconds } = found;
    const at = timestampSeconds * 1_000;
    if (at < signedAt.getTime() - skewMs || at > now + skewMs) continue;
    if (timestampSeconds > (latest?.timestampSeconds ?? 0)) latest = { line, timestampSeconds };
  }
  return latest;
};
