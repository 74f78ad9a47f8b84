import { chmod, lstat, mkdir, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Problem, systemErrorCode } from '../problem.ts';
import type { ServerUser } from './server-user.ts';
import { firstClosedFolder } from './traversable.ts';

/**
 * Makes the system folder of one data root, named by the hash of its path, where `user` can enter it.
 *
 * Only folders that are root's and writable by nobody else are taken: the temporary folder is open to everybody, and
 * a name that can be guessed could have been put there by somebody else.
 */
export const makeSystemFolder = async (dataRoot: string, user: ServerUser): Promise<string> => {
  const name = await shortHash(dataRoot);
  for (const candidate of [`/var/lib/grantlog/${name}`, join(tmpdir(), `grantlog-${name}`), `/var/tmp/grantlog-${name}`]) {
    if (await makeOwnFolder(candidate, user)) return candidate;
  }
  throw new Problem(
    `Postgres runs as another user, who can enter neither ${dataRoot} nor any system folder.`,
    'set DATA_DIR to a folder that every user may enter, or set DATABASE_URL to a Postgres of your own.',
  );
};

/** Removes the common parent of system folders once the last of them is gone. */
export const removeEmptyParent = async (folder: string): Promise<void> => {
  const parent = dirname(folder);
  if (basename(parent) !== 'grantlog') return;
  await rmdir(parent).catch(() => undefined); // not empty: another checkout lives there
};

const makeOwnFolder = async (path: string, user: ServerUser): Promise<boolean> => {
  try {
    if (basename(dirname(path)) === 'grantlog' && !(await makeClosedToWriters(dirname(path)))) return false;
    return (await makeClosedToWriters(path)) && (await firstClosedFolder(path, user)) === null;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw error;
  }
};

const makeClosedToWriters = async (path: string): Promise<boolean> => {
  try {
    await mkdir(path);
    await chmod(path, 0o755); // whatever the umask says
    return true;
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  }
  const found = await lstat(path);
  return found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o022) === 0;
};

const shortHash = async (text: string): Promise<string> =>
  Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
    .toString('hex')
    .slice(0, 16);
