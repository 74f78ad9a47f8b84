import { signEd25519, verifyEd25519 } from '@grantlog/crypto';
import { fromBase64, toBase64 } from './base64.ts';
import { hasControl, isKeyName, type NoteSigner, type VerifierKey, verifierKeyOf } from './note-key.ts';

/** One line of signature, of whatever key. */
export type NoteSignature = {
  readonly name: string;
  readonly keyId: number;
  /** What follows the key's id: its meaning depends on the key's algorithm. */
  readonly bytes: Uint8Array;
};

/** A text with signatures, none of which has been verified. */
export type SignedNote = {
  /** With its last newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
};

const longestNote = 1_000_000;
const mostSignatures = 100;
const lineStart = '— ';

/** A line that signs, with its newline. The key's id and what it signed become one base64. */
export const writeSignature = ({ name, keyId, bytes }: NoteSignature): string => {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(keyId);
  return `${lineStart}${name} ${toBase64(Buffer.concat([head, bytes]))}\n`;
};

const readSignature = (line: string): NoteSignature | null => {
  if (!line.startsWith(lineStart)) return null;
  const [name = '', encoded = '', more] = line.slice(lineStart.length).split(' ');
  const bytes = fromBase64(encoded);
  if (more !== undefined || !isKeyName(name) || bytes === null || bytes.byteLength < 5) return null;
  return { name, keyId: Buffer.from(bytes).readUInt32BE(0), bytes: bytes.subarray(4) };
};

/** Whether a text may be signed: it ends in a newline, is well-formed and has no other control character of ASCII. */
const isNoteText = (text: string): boolean => text.endsWith('\n') && text.isWellFormed() && !hasControl(text, '\n');

/**
 * Signs a text as a note with one signature.
 *
 * @throws RangeError for a text that does not end in a newline or has control characters, and for a signer without a proper name or key.
 * @see https://c2sp.org/signed-note
 */
export const signNote = (text: string, signer: NoteSigner): string => {
  if (!isNoteText(text)) throw new RangeError('the text of a note ends in a newline and has no other control character');
  const { name, keyId } = verifierKeyOf(signer, 'ed25519');
  return `${text}\n${writeSignature({ name, keyId, bytes: signEd25519(signer.key, Buffer.from(text, 'utf8')) })}`;
};

/**
 * Reads a note without verifying anything. Null for whatever is no note of 1 MB and 100 signatures at most, each in the one spelling
 * of its base64.
 *
 * @see https://c2sp.org/signed-note
 */
export const parseNote = (note: string): SignedNote | null => {
  if (note.length > longestNote || Buffer.byteLength(note) > longestNote || !isNoteText(note)) return null;
  // The text may have empty lines of its own: the last one ends it.
  const end = note.lastIndexOf('\n\n');
  if (end === -1) return null;
  const lines = note.slice(end + 2, -1).split('\n');
  if (lines.length > mostSignatures) return null;
  const signatures = lines.map(readSignature);
  return signatures.every((each) => each !== null) ? { text: note.slice(0, end + 1), signatures } : null;
};

/** The signatures of a note that name a key. */
export const signaturesOf = ({ signatures }: SignedNote, key: VerifierKey): readonly NoteSignature[] =>
  signatures.filter(({ name, keyId }) => name === key.name && keyId === key.keyId);

/** Whether a key has signed a note: `unsigned` when no line names it, `bad_signature` when one that does is not its. */
export type NoteJudgement = 'signed' | 'unsigned' | 'bad_signature';

/** Judges a note by a key of `ed25519`; signatures of other keys count for nothing. */
export const judgeNote = (note: SignedNote, key: VerifierKey): NoteJudgement => {
  const own = key.algorithm === 'ed25519' ? signaturesOf(note, key) : [];
  const bytes = Buffer.from(note.text, 'utf8');
  if (own.length === 0) return 'unsigned';
  return own.every((each) => verifyEd25519({ publicKey: key.publicKey, bytes, signature: each.bytes })) ? 'signed' : 'bad_signature';
};
