import { parseNote } from '@grantlog/transparency';

/** A checkpoint as it stands in a file. Whoever can write there wrote it: it is believed only where it agrees with what is proved. */
export type KeptNote = { readonly note: string; readonly size: number; readonly root: Uint8Array };

const isSignatures = (block: string): boolean => block.split('\n').every((line) => line.startsWith('— '));

/**
 * The last whole note of a log at the end of a file, in which notes stand one after another with an empty line after each; null where
 * there is none. What is no note, such as one that was torn by a crash, is passed over.
 */
export const lastNoteOf = (text: string, origin: string): KeptNote | null => {
  const blocks = text.split(/\n{2,}/);
  // What no empty line has ended yet is not whole.
  for (let at = blocks.length - 2; at > 0; at -= 1) {
    const [body = '', signatures = ''] = blocks.slice(at - 1, at + 1);
    const [first, size = '', root = ''] = body.split('\n');
    if (first !== origin || !isSignatures(signatures) || !/^(0|[1-9]\d{0,15})$/.test(size)) continue;
    const note = `${body}\n\n${signatures}\n`;
    const hash = Buffer.from(root, 'base64');
    if (parseNote(note) !== null && hash.byteLength === 32) return { note, size: Number(size), root: hash };
  }
  return null;
};

/** What has to stand before the next note: the end of one that was torn. */
export const closingOf = (text: string): string => {
  if (text === '' || text.endsWith('\n\n')) return '';
  return text.endsWith('\n') ? '\n' : '\n\n';
};
