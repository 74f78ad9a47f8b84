import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Problem, unlessMissing } from '../problem.ts';
import type { Binaries } from './binaries.ts';
import { copyBinaries } from './copy-binaries.ts';
import { endServer, findServer } from './server-identity.ts';
import { chooseServerUser, type ServerUser } from './server-user.ts';
import { makeSystemFolder } from './system-folder.ts';
import { firstClosedFolder } from './traversable.ts';

/** Where a cluster lives, and the binaries and the user that run it. */
export type Home = {
  /** Holds `data/`, `password` and `port`: the data root itself, or a system folder that it points to. */
  readonly directory: string;
  readonly dataDirectory: string;
  readonly native: string;
  readonly user: ServerUser;
};

/** In the data root: names the system folder that holds the cluster. */
const pointerFile = 'location.json';
/** In the system folder: names the data root that it belongs to, so that no pointer can make us remove anything else. */
const ownerFile = 'belongs-to.json';

/**
 * Decides where the cluster of `dataRoot` lives, and makes that place ready.
 *
 * It is the data root, unless we are root and the unprivileged user cannot enter it or the binaries: then binaries and
 * data move to a system folder of their own. The caller holds the cluster's lock.
 */
export const prepareHome = async (task: {
  readonly dataRoot: string;
  readonly binaries: Binaries;
  readonly onProgress: (message: string) => void;
}): Promise<Home> => {
  const { dataRoot, binaries, onProgress } = task;
  const moved = await findSystemFolder(dataRoot);
  const inPlace = join(dataRoot, 'data');
  const user = await chooseServerUser(moved === null ? inPlace : join(moved, 'data'));
  if (moved !== null) return home(moved, await copyBinaries({ binaries, into: moved, onProgress }), user);

  const closedData = await firstClosedFolder(inPlace, user);
  const closed = closedData ?? (await firstClosedFolder(join(binaries.native, 'bin'), user));
  if (closed === null)
    return home(dataRoot, binaries.linked ? binaries.native : await copyBinaries({ binaries, into: dataRoot, onProgress }), user);
  if ((await unlessMissing(stat(inPlace))) !== null) {
    if (closedData === null) return home(dataRoot, await copyBinaries({ binaries, into: dataRoot, onProgress }), user);
    throw new Problem(
      `The database in ${inPlace} cannot be reached by the user that runs it: ${closedData} is closed to others.`,
      `chmod o+x ${closedData}`,
    );
  }
  const folder = await makeSystemFolder(dataRoot, user);
  onProgress(`${closed} is closed to unprivileged users, so the database lives in ${folder}`);
  await removeLeftovers(folder, onProgress);
  await writeFile(join(folder, ownerFile), JSON.stringify({ dataRoot }));
  await writeAtomically(join(dataRoot, pointerFile), JSON.stringify({ directory: folder }));
  return home(folder, await copyBinaries({ binaries, into: folder, onProgress }), user);
};

/**
 * The system folder that `dataRoot` points to, or `null`. A data root that was renamed keeps its folder.
 *
 * @throws Problem where the data root is a copy of one that still uses that folder
 */
export const findSystemFolder = async (dataRoot: string): Promise<string | null> => {
  const folder = await readField(join(dataRoot, pointerFile), 'directory');
  if (folder === null) return null;
  const owner = await readField(join(folder, ownerFile), 'dataRoot');
  if (owner === dataRoot) return folder;
  if (owner === null) {
    await rm(join(dataRoot, pointerFile), { force: true });
    return null;
  }
  if ((await readField(join(owner, pointerFile), 'directory')) === folder) {
    throw new Problem(
      `${dataRoot} is a copy of ${owner}, and its database in ${folder} belongs to the original.`,
      `remove ${join(dataRoot, pointerFile)} to begin a database of its own.`,
    );
  }
  await writeAtomically(join(folder, ownerFile), JSON.stringify({ dataRoot }));
  return folder;
};

const home = (directory: string, native: string, user: ServerUser): Home => ({
  directory,
  dataDirectory: join(directory, 'data'),
  native,
  user,
});

/** A folder of this name without a pointer to it: its `.grantlog` was removed by hand, and with it every secret to read it. */
const removeLeftovers = async (folder: string, onProgress: (message: string) => void): Promise<void> => {
  const dataDirectory = join(folder, 'data');
  if ((await unlessMissing(stat(dataDirectory))) === null) return;
  onProgress('removing the database of a data folder that no longer exists');
  const server = await findServer(dataDirectory);
  if (server !== null) await endServer(server);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: 0o755 });
};

/** Whole or not at all: a pointer cut in half would lose the way to the database. */
const writeAtomically = async (path: string, text: string): Promise<void> => {
  const draft = join(dirname(path), `.${crypto.randomUUID()}`);
  await writeFile(draft, text);
  await rename(draft, path);
};

const readField = async (path: string, field: string): Promise<string | null> => {
  const text = await unlessMissing(readFile(path, 'utf8'));
  if (text === null) return null;
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) return null;
  const found: unknown = Reflect.get(value, field);
  return typeof found === 'string' ? found : null;
};
