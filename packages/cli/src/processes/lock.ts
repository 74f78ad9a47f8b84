import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemErrorCode, unlessMissing } from '../problem.ts';
import { identify, isAlive, ownIdentity, type ProcessIdentity, parseIdentity } from './identity.ts';

/** The outcome of one try: ours until released, or held by a living process. */
export type LockAttempt =
  | { readonly outcome: 'acquired'; release(): Promise<void> }
  | { readonly outcome: 'held'; readonly owner: ProcessIdentity };

/** A tombstone only has to outlive a breaker paused between two system calls. */
const tombstoneLifeMs = 3_600_000;

/**
 * Tries to take the lock at `path` (a folder holding its owner) for this process.
 *
 * The folder is made complete beside and renamed into place, which fails where a full folder stands: a lock is never seen
 * without its owner. A dead owner's lock is renamed to a tombstone named after that owner; since a second rename onto it
 * fails too, a breaker with stale knowledge cannot take away the lock of a successor.
 * Processes that do not share a process table (two containers on one volume) cannot see each other's life.
 */
export const tryLock = async (path: string): Promise<LockAttempt> => {
  const me = ownIdentity();
  const candidate = `${path}.${process.pid}-${crypto.randomUUID()}`;
  await mkdir(candidate, { recursive: true });
  await writeFile(join(candidate, 'owner.json'), JSON.stringify(me));
  try {
    for (;;) {
      if (await renameUnlessTaken(candidate, path)) {
        await buryOldTombstones(path);
        return { outcome: 'acquired', release: () => release(path) };
      }
      const holding = await readHolding(path);
      if (holding === null) continue;
      if (holding.owner !== null && isAlive(holding.owner)) return { outcome: 'held', owner: holding.owner };
      await unlessMissing(renameUnlessTaken(path, tombstoneOf(path, holding)));
    }
  } finally {
    await rm(candidate, { recursive: true, force: true });
  }
};

/** The living process that holds the lock at `path`, or `null`. */
export const lockHolder = async (path: string): Promise<ProcessIdentity | null> => {
  const owner = (await readHolding(path))?.owner ?? null;
  return owner !== null && isAlive(owner) ? owner : null;
};

/** An owner's file as it was read; `id` tells this lock from every later one at the same path. */
type Holding = { readonly owner: ProcessIdentity | null; readonly id: string };

/** A file that cannot be parsed is what a power cut leaves: nobody lives who wrote it. `null`: the lock has just gone. */
const readHolding = async (path: string): Promise<Holding | null> => {
  const file = await unlessMissing(open(join(path, 'owner.json'), 'r'));
  if (file === null) return null;
  try {
    const owner = parseIdentity(parseJson(await file.readFile('utf8')));
    const { ino, ctimeMs } = await file.stat();
    return { owner, id: owner === null ? `${ino}-${ctimeMs}` : `${owner.pid}-${owner.startedAt}` };
  } finally {
    await file.close();
  }
};

/**
 * Takes the lock, waiting while a living process holds it.
 *
 * @param task.onWait called once, with the owner, when there is something to wait for
 * @throws LockHeld after `waitMs`
 */
export const lock = async (task: {
  readonly path: string;
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onWait?: (owner: ProcessIdentity) => void;
}): Promise<{ release(): Promise<void> }> => {
  const deadline = performance.now() + task.waitMs;
  let told = false;
  for (;;) {
    task.signal?.throwIfAborted();
    const attempt = await tryLock(task.path);
    if (attempt.outcome === 'acquired') return attempt;
    if (performance.now() >= deadline) throw new LockHeld(attempt.owner);
    if (!told) task.onWait?.(attempt.owner);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};

export class LockHeld extends Error {
  override readonly name = 'LockHeld';
  readonly owner: ProcessIdentity;

  constructor(owner: ProcessIdentity) {
    super(`held by process ${owner.pid}`);
    this.owner = owner;
  }
}

/** Renamed away before it is removed: a half-removed lock would look like one without an owner. */
const release = async (path: string): Promise<void> => {
  const gone = `${path}.${process.pid}-${crypto.randomUUID()}`;
  try {
    await rename(path, gone);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return;
    throw error;
  }
  await rm(gone, { recursive: true, force: true });
};

const tombstoneOf = (path: string, holding: Holding): string => `${path}.ended-${holding.id.replaceAll(/[^A-Za-z0-9]/g, '-')}`;

/** Removes what dead owners left beside the lock at `path`. The caller holds it, or nobody may want it any more. */
export const removeTombstones = async (path: string): Promise<void> => {
  for (const name of await readdir(dirname(path))) {
    if (name.startsWith(`${basename(path)}.ended-`)) await rm(join(dirname(path), name), { recursive: true, force: true });
  }
};

const buryOldTombstones = async (path: string): Promise<void> => {
  const prefix = `${basename(path)}.`;
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(prefix)) continue;
    const leftover = join(dirname(path), name);
    if (name.startsWith(`${prefix}ended-`)) {
      const made = await unlessMissing(stat(leftover));
      if (made !== null && Date.now() - made.ctimeMs > tombstoneLifeMs) await rm(leftover, { recursive: true, force: true });
    } else if (identify(Number.parseInt(name.slice(prefix.length), 10)) === null) {
      await rm(leftover, { recursive: true, force: true });
    }
  }
};

/** False where a full folder already stands at `to`. */
const renameUnlessTaken = async (from: string, to: string): Promise<boolean> => {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    throw error;
  }
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};
