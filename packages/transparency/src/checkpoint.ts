import { fromBase64, toBase64 } from './base64.ts';
import { parseDecimal } from './decimal.ts';
import type { NoteSigner, VerifierKey } from './note-key.ts';
import { judgeNote, parseNote, type SignedNote, signNote } from './signed-note.ts';
import { hashLength } from './tree-hash.ts';

/** What a log says of itself at one moment. */
export type Checkpoint = {
  /** Names the log. */
  readonly origin: string;
  /** How many leaves it has. */
  readonly size: number;
  readonly root: Uint8Array;
};

const writeBody = ({ origin, size, root }: Checkpoint): string => `${origin}\n${size}\n${toBase64(root)}\n`;

/** Lines after the third are somebody's extensions: signed, but no part of what a checkpoint says here. */
export const parseBody = (text: string): Checkpoint | null => {
  const [origin = '', sizeText = '', encoded = '', ...extensions] = text.slice(0, -1).split('\n');
  const size = parseDecimal(sizeText);
  const root = fromBase64(encoded);
  if (origin === '' || size === null || root?.byteLength !== hashLength || extensions.includes('')) return null;
  return { origin, size, root };
};

/**
 * A checkpoint as the log signs it. The same bytes for the same checkpoint and key.
 *
 * @throws RangeError for an origin that is empty or has control characters, a size that is none, a root that has not 32 bytes, and for a
 * signer without a proper name or key.
 * @see https://c2sp.org/tlog-checkpoint
 */
export const signCheckpoint = (checkpoint: Checkpoint, signer: NoteSigner): string => {
  const body = writeBody(checkpoint);
  const read = parseBody(body);
  if (read?.origin !== checkpoint.origin || read.size !== checkpoint.size)
    throw new RangeError('a checkpoint has an origin of one line, a size and a root of 32 bytes');
  return signNote(body, signer);
};

/** Why a checkpoint is not believed. */
export type CheckpointRefusal = 'malformed' | 'unsigned' | 'bad_signature' | 'other_origin';

export type CheckpointReading =
  | { readonly outcome: 'verified'; readonly checkpoint: Checkpoint; readonly note: SignedNote }
  | { readonly outcome: 'refused'; readonly reason: CheckpointRefusal };

/** What a checkpoint has to show: the log's signature and, where it is not the key's name, its origin. */
export type LogIdentity = { readonly key: VerifierKey; readonly origin?: string };

const refused = (reason: CheckpointRefusal): CheckpointReading => ({ outcome: 'refused', reason });

/**
 * Reads a signed checkpoint and verifies that it is this log's.
 *
 * @param signed the whole note, 1 MB at most.
 * @see https://c2sp.org/tlog-checkpoint
 */
export const readCheckpoint = (signed: string, log: LogIdentity): CheckpointReading => {
  const note = parseNote(signed);
  const checkpoint = note === null ? null : parseBody(note.text);
  if (note === null || checkpoint === null) return refused('malformed');
  const judgement = judgeNote(note, log.key);
  if (judgement !== 'signed') return refused(judgement);
  // A key of several logs must not let one speak for another.
  if (checkpoint.origin !== (log.origin ?? log.key.name)) return refused('other_origin');
  return { outcome: 'verified', checkpoint, note };
};
