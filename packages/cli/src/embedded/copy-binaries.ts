import { chmod, cp, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemErrorCode, unlessMissing } from '../problem.ts';
import { type Binaries, readLinkList } from './binaries.ts';

/**
 * Copies the binaries (60 MB, about 0.1 s) into the folder `into`, under their version, and makes them readable to everybody.
 *
 * The copy appears under its name only when it is complete; a copy that is there already is used, older versions go.
 * Returns the copy's `native` folder.
 */
export const copyBinaries = async (task: {
  readonly binaries: Binaries;
  readonly into: string;
  readonly onProgress: (message: string) => void;
}): Promise<string> => {
  const { binaries, into } = task;
  const target = join(into, `native-${await packageVersion(binaries.native)}`);
  if ((await unlessMissing(stat(target))) !== null) return target;
  task.onProgress('copying the Postgres binaries');
  const draft = join(into, `.native-${crypto.randomUUID()}`);
  try {
    await cp(binaries.native, draft, { recursive: true, verbatimSymlinks: true });
    await addMissingLinks(draft);
    await openToEverybody(draft);
    for (const name of await readdir(into)) {
      if (name.startsWith('native-')) await rm(join(into, name), { recursive: true, force: true });
    }
    await rename(draft, target);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return target;
};

const packageVersion = async (native: string): Promise<string> => {
  const manifest: unknown = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8'));
  const version: unknown = typeof manifest === 'object' && manifest !== null ? Reflect.get(manifest, 'version') : null;
  return typeof version === 'string' ? version : 'unknown';
};

/** The package's own post-install step makes these; it may have been switched off. */
const addMissingLinks = async (native: string): Promise<void> => {
  for (const { source, target } of await readLinkList(native)) {
    const path = join(native, target.replace(/^native\//, ''));
    try {
      await symlink(dirname(source) === dirname(target) ? basename(source) : join('..', source), path);
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
    }
  }
};

/** An installation under a strict umask is unreadable to the user that runs Postgres. */
const openToEverybody = async (native: string): Promise<void> => {
  await chmod(native, 0o755);
  for (const entry of await readdir(native, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) await chmod(path, 0o755);
    if (entry.isFile()) await chmod(path, ((await stat(path)).mode & 0o100) === 0 ? 0o644 : 0o755);
  }
};
