import { readFile, stat } from 'node:fs/promises';
import { Problem, unlessMissing } from '../problem.ts';

/** Who initdb and postgres run as: ourselves, or (we are root, whom both refuse) an unprivileged user. */
export type ServerUser =
  | { readonly kind: 'self' }
  | { readonly kind: 'unprivileged'; readonly name: string; readonly uid: number; readonly gid: number };

/**
 * Chooses the user for a cluster: the owner of `dataDirectory` where one exists already, `nobody` or else the first
 * user of the system that is not root. initdb refuses a uid without a passwd entry, so the entry decides.
 */
export const chooseServerUser = async (dataDirectory: string): Promise<ServerUser> => {
  const existing = await unlessMissing(stat(dataDirectory));
  const self = process.getuid?.();
  if (self === undefined) return { kind: 'self' };
  if (self !== 0) {
    if (existing !== null && existing.uid !== self) throw belongsToAnother(dataDirectory, existing.uid);
    return { kind: 'self' };
  }
  const users = parsePasswd(await readFile('/etc/passwd', 'utf8'));
  const chosen =
    existing === null || existing.uid === 0
      ? (users.find((user) => user.name === 'nobody' && user.uid !== 0) ?? users.find((user) => user.uid !== 0))
      : users.find((user) => user.uid === existing.uid);
  if (chosen !== undefined) return { kind: 'unprivileged', ...chosen };
  if (existing !== null && existing.uid !== 0) throw belongsToAnother(dataDirectory, existing.uid);
  throw new Problem(
    'Postgres does not run as root, and /etc/passwd has no other user.',
    'run as another user, or set DATABASE_URL to a Postgres of your own.',
  );
};

/** What spawn needs: nothing for ourselves. */
export const spawnIdentity = (user: ServerUser): { readonly uid?: number; readonly gid?: number } =>
  user.kind === 'self' ? {} : { uid: user.uid, gid: user.gid };

/** The entries of passwd(5); negative numbers (macOS writes nobody as -2) become the unsigned ones that the kernel uses. */
export const parsePasswd = (text: string): readonly { readonly name: string; readonly uid: number; readonly gid: number }[] =>
  text.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    if (name === undefined || name === '' || name.startsWith('#') || uid === undefined || gid === undefined) return [];
    if (!/^-?\d+$/.test(uid) || !/^-?\d+$/.test(gid)) return [];
    return [{ name, uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 }];
  });

const belongsToAnother = (directory: string, uid: number): Problem =>
  new Problem(
    `The database in ${directory} belongs to another user (uid ${uid}).`,
    'start as that user or as root, set DATA_DIR to a folder of your own, or run reset as root.',
  );
