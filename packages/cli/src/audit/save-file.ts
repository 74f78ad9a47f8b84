import { access, open, rename, rm } from 'node:fs/promises';
import { explainDiskError } from '../disk-problem.ts';
import { Problem, systemErrorCode, unlessMissing } from '../problem.ts';

/**
 * Refuses a file that is there already: what somebody keeps as evidence is not written over.
 *
 * @throws Problem
 */
export const requireUnwritten = async (path: string): Promise<void> => {
  const there = await unlessMissing(access(path).then(() => true));
  if (there === true) throw new Problem(`There is a file ${path} already`, 'choose another name, or remove it first');
};

const explain = (error: unknown, path: string): unknown => {
  const code = systemErrorCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR')
    return new Problem(`${path} cannot be written (${code})`, 'check that its folder is there');
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new Problem(`${path} cannot be written (${code})`, 'choose a folder that you may write to');
  return explainDiskError(error, path);
};

/**
 * Writes a file piece by piece, for its owner alone. Until the last piece is on disk it is called `<path>.part`, and where
 * one fails to come there is nothing: no short file looks whole.
 */
export const saveFile = async (path: string, pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> => {
  const part = `${path}.part`;
  try {
    const file = await open(part, 'w', 0o600);
    try {
      for await (const piece of pieces) await file.appendFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined); // what went wrong is told, and not this
    throw explain(error, path);
  }
};
