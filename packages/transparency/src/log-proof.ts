import { fromBase64, toBase64 } from './base64.ts';
import { type Checkpoint, type CheckpointRefusal, type LogIdentity, readCheckpoint } from './checkpoint.ts';
import { type Cosignature, readCosignatures } from './cosignature.ts';
import { parseDecimal } from './decimal.ts';
import { verifyInclusion } from './inclusion.ts';
import type { VerifierKey } from './note-key.ts';
import { hashLength } from './tree-hash.ts';

/** A receipt: all that somebody offline needs to see that a leaf is in the log. Nothing in it is verified by being read. */
export type LogProof = {
  /** Of the leaf, from 0. */
  readonly index: number;
  /** From the leaf's sibling up. */
  readonly hashes: readonly Uint8Array[];
  /** The signed checkpoint, verbatim. */
  readonly checkpoint: string;
  /** Whatever comes along with it. It is signed by nobody. */
  readonly extra: Uint8Array | null;
};

const firstLine = 'c2sp.org/tlog-proof@v1';
const longestProof = 1_100_000;
// A tree of 2^53 leaves has no longer path.
const mostHashes = 53;

/**
 * A receipt as text, which files keep as `.tlog-proof`.
 *
 * @see https://c2sp.org/tlog-proof
 */
export const writeLogProof = ({ index, hashes, checkpoint, extra }: LogProof): string => {
  const extraLine = extra === null || extra.byteLength === 0 ? '' : `extra ${toBase64(extra)}\n`;
  return `${firstLine}\n${extraLine}index ${index}\n${hashes.map((hash) => `${toBase64(hash)}\n`).join('')}\n${checkpoint}`;
};

/** The value of a line that begins with a word. Null for any other line. */
const valueAfter = (word: string, line: string | undefined): string | null =>
  line?.startsWith(`${word} `) === true ? line.slice(word.length + 1) : null;

const isHash = (bytes: Uint8Array | null): bytes is Uint8Array => bytes?.byteLength === hashLength;

/** Reads a receipt of 1.1 MB and 53 hashes at most. Null for any text that {@link writeLogProof} would not write. */
export const readLogProof = (text: string): LogProof | null => {
  const end = text.length > longestProof ? -1 : text.indexOf('\n\n');
  if (end === -1) return null;
  const [first, ...lines] = text.slice(0, end).split('\n');
  const extraText = valueAfter('extra', lines[0]);
  if (extraText !== null) lines.shift();
  const extra = extraText === null ? null : fromBase64(extraText);
  const index = parseDecimal(valueAfter('index', lines.shift()) ?? '');
  if (first !== firstLine || index === null || lines.length > mostHashes) return null;
  if (extraText !== null && (extra === null || extra.byteLength === 0)) return null;
  const hashes = lines.map(fromBase64);
  return hashes.every(isHash) ? { index, hashes, checkpoint: text.slice(end + 2), extra } : null;
};

/** Why a receipt proves nothing. `not_included`: the hashes do not lead from this leaf to the checkpoint's root. */
export type LogProofRefusal = CheckpointRefusal | 'not_included' | 'too_few_witnesses';

export type LogProofVerification =
  | {
      readonly outcome: 'verified';
      readonly index: number;
      readonly checkpoint: Checkpoint;
      readonly cosignatures: readonly Cosignature[];
    }
  | { readonly outcome: 'refused'; readonly reason: LogProofRefusal };

const refused = (reason: LogProofRefusal): LogProofVerification => ({ outcome: 'refused', reason });

/**
 * Whether a receipt proves that a leaf is in the log, by the log's signature and, where asked for, by that of enough witnesses.
 *
 * @param claim.leafHash of the leaf whose receipt it is, computed from what the caller holds.
 * @see https://c2sp.org/tlog-proof
 */
export const verifyLogProof = (claim: {
  readonly proof: LogProof;
  readonly leafHash: Uint8Array;
  readonly log: LogIdentity;
  readonly witnesses?: { readonly keys: readonly VerifierKey[]; readonly atLeast: number };
}): LogProofVerification => {
  const { proof, leafHash, log, witnesses = { keys: [], atLeast: 0 } } = claim;
  const reading = readCheckpoint(proof.checkpoint, log);
  if (reading.outcome === 'refused') return reading;
  const { checkpoint, note } = reading;
  const { index, hashes } = proof;
  if (!verifyInclusion({ index, hashes, leafHash, size: checkpoint.size, root: checkpoint.root })) return refused('not_included');
  const cosignatures = readCosignatures(note, witnesses.keys);
  // In the affirmative, so that a number that is none is never reached.
  return cosignatures.length >= witnesses.atLeast ? { outcome: 'verified', index, checkpoint, cosignatures } : refused('too_few_witnesses');
};
