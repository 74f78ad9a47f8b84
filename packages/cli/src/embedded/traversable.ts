import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { unlessMissing } from '../problem.ts';
import type { ServerUser } from './server-user.ts';

/**
 * The first folder on the way to `path` (itself included, as far as it exists) that `user` may not enter, or `null`.
 *
 * Reads mode bits only. The error that Postgres prints instead speaks of a missing library, so we look before we start it.
 */
export const firstClosedFolder = async (path: string, user: ServerUser): Promise<string | null> => {
  if (user.kind === 'self') return null;
  let closed: string | null = null;
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const found = await unlessMissing(stat(folder));
    if (found?.isDirectory() === true && !mayEnter(found, user)) closed = folder;
    if (folder === dirname(folder)) return closed;
  }
};

/** Which of the three x bits counts is decided by the first class that matches, as the kernel does. */
const mayEnter = (
  folder: { readonly mode: number; readonly uid: number; readonly gid: number },
  user: { readonly uid: number; readonly gid: number },
): boolean => {
  if (folder.uid === user.uid) return (folder.mode & 0o100) !== 0;
  if (folder.gid === user.gid) return (folder.mode & 0o010) !== 0;
  return (folder.mode & 0o001) !== 0;
};
