import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Failure, systemErrorCode } from './failure.ts';

/** Longer than anything done under the lock may take, sign-in included: whoever is older than this will not come back. */
const oldestMs = 15 * 60_000;

/** What a dead run left beside the lock has to outlive only a run that was paused between two system calls. */
const remainsMs = 3_600_000;

type Owner = { readonly pid: number; readonly host: string; readonly id: string };

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) !== 'ESRCH';
  }
};

/** Null for a file that says nothing: it was whole before it stood here, so only a power cut leaves it so. */
const readOwner = (text: string): Owner | null => {
  try {
    const { pid, host, id } = JSON.parse(text) as Owner; // of another version, perhaps: judged here
    return Number.isSafeInteger(pid) && typeof host === 'string' && /^[0-9a-f-]{36}$/.test(id) ? { pid, host, id } : null;
  } catch {
    return null;
  }
};

const nobody: Owner = { pid: 0, host: 'nowhere', id: 'unreadable' };

/** Who holds the lock, and whether that still counts. Null: nobody, or it has just gone. */
const holderOf = async (path: string): Promise<{ readonly owner: Owner; readonly stale: boolean } | null> => {
  try {
    const owner = readOwner(await readFile(join(path, 'owner.json'), 'utf8'));
    if (owner === null) return { owner: nobody, stale: true };
    const ageMs = Date.now() - (await stat(path)).mtimeMs;
    const dead = owner.host === hostname() && !isAlive(owner.pid);
    return { owner, stale: dead || ageMs > oldestMs };
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw error;
  }
};

/** False where a lock already stands at `to`: a folder is never renamed onto a full one. */
const renameUnlessTaken = async (from: string, to: string): Promise<boolean> => {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST', 'EPERM', 'ENOENT'].includes(systemErrorCode(error) ?? '')) return false;
    throw error;
  }
};

const take = async (path: string, candidate: string, waitMs: number): Promise<void> => {
  const deadline = performance.now() + waitMs;
  while (!(await renameUnlessTaken(candidate, path))) {
    const held = await holderOf(path);
    // Two runs may find the same dead owner. The second cannot take its successor's lock away, because the first has
    // filled the place that is named after that owner.
    if (held?.stale === true && (await renameUnlessTaken(path, `${path}.ended-${held.owner.id}`))) continue;
    if (performance.now() >= deadline) {
      const who = held === null ? 'another run' : `process ${held.owner.pid} on ${held.owner.host}`;
      throw new Failure(`The tokens are in use by ${who}`, `wait for it or end it; if it is long gone, remove ${path}`);
    }
    await new Promise((done) => setTimeout(done, 50));
  }
};

const release = async (path: string, candidate: string, id: string): Promise<void> => {
  if ((await holderOf(path))?.owner.id !== id) return; // taken away for its age
  // Renamed away first: a half-removed lock would look like one without an owner.
  if (await renameUnlessTaken(path, candidate)) await rm(candidate, { recursive: true, force: true });
};

const buryRemains = async (path: string): Promise<void> => {
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(`${basename(path)}.`)) continue;
    const left = join(dirname(path), name);
    const changed = await stat(left).then(
      (found) => found.ctimeMs,
      () => Date.now(), // somebody else has buried it
    );
    if (Date.now() - changed > remainsMs) await rm(left, { recursive: true, force: true });
  }
};

/**
 * Does `work` while no other run touches the tokens. Two runs that refreshed at once would spend one refresh token twice,
 * and a platform of strict rotation answers that by ending the whole grant.
 *
 * The lock is a folder that holds its owner, made complete beside and renamed into place. One that a dead process left is
 * broken at once; of a process on another machine only the age is known.
 *
 * @throws Failure where another run holds it for longer than `waitMs`.
 */
export const withLock = async <Result>(path: string, work: () => Promise<Result>, waitMs = 30_000): Promise<Result> => {
  const owner: Owner = { pid: process.pid, host: hostname(), id: crypto.randomUUID() };
  const candidate = `${path}.${owner.id}`;
  await mkdir(candidate, { mode: 0o700 });
  try {
    await writeFile(join(candidate, 'owner.json'), JSON.stringify(owner), { mode: 0o600 });
    await take(path, candidate, waitMs);
  } finally {
    await rm(candidate, { recursive: true, force: true });
  }
  try {
    await buryRemains(path);
    return await work();
  } finally {
    await release(path, candidate, owner.id);
  }
};
