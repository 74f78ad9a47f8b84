import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Problem, unlessMissing } from '../problem.ts';
import { pause } from '../processes/ended.ts';
import { identify, isAlive, type ProcessIdentity } from '../processes/identity.ts';

/** What postmaster.pid says: its lines are fixed by Postgres (`miscadmin.h`, LOCK_FILE_LINE_*). */
export type PostmasterFile = { readonly pid: number; readonly ready: boolean };

/** Reads `postmaster.pid`; `null` where there is none or it is still being written. */
export const readPostmasterFile = async (dataDirectory: string): Promise<PostmasterFile | null> => {
  const text = await unlessMissing(readFile(join(dataDirectory, 'postmaster.pid'), 'utf8'));
  const lines = text?.split('\n') ?? [];
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid <= 0) return null;
  return { pid, ready: lines[7]?.trim() === 'ready' };
};

/**
 * The server that runs on `dataDirectory`, if it is one of ours: the process that postmaster.pid names,
 * run from a folder of embedded binaries, with exactly this folder as its `-D`.
 */
export const findServer = async (dataDirectory: string): Promise<ProcessIdentity | null> => {
  const file = await readPostmasterFile(dataDirectory);
  if (file === null) return null;
  const identity = identify(file.pid);
  return identity !== null && isEmbeddedServer(file.pid, dataDirectory) ? identity : null;
};

/**
 * Removes a postmaster.pid whose number now belongs to some other process, which would keep Postgres from starting.
 *
 * A file whose process has ended stays: Postgres itself replaces it, after it has used it to make sure that no
 * backend of the dead server still has the shared memory open.
 */
export const removeMisleadingPostmasterFile = async (dataDirectory: string): Promise<void> => {
  const file = await readPostmasterFile(dataDirectory);
  if (file === null || identify(file.pid) === null || isEmbeddedServer(file.pid, dataDirectory)) return;
  await rm(join(dataDirectory, 'postmaster.pid'), { force: true });
};

/**
 * Ends a server that {@link findServer} found: fast shutdown, then immediate shutdown after 20 s.
 *
 * @throws Problem when it is still there 10 s later
 */
export const endServer = async (server: ProcessIdentity): Promise<void> => {
  for (const [signal, waitMs] of [
    ['SIGINT', 20_000],
    ['SIGQUIT', 10_000],
  ] as const) {
    if (!isAlive(server)) return;
    process.kill(server.pid, signal);
    const deadline = performance.now() + waitMs;
    while (performance.now() < deadline) {
      if (!isAlive(server)) return;
      await pause(50);
    }
  }
  throw new Problem(
    `The database server of an earlier run (process ${server.pid}) does not end.`,
    `kill -9 ${server.pid}, then start again.`,
  );
};

const isEmbeddedServer = (pid: number, dataDirectory: string): boolean =>
  process.platform === 'linux' ? isOursOnLinux(pid, dataDirectory) : isOursByPs(pid, dataDirectory);

/** An upgrade may have replaced the binaries while the orphan ran, so their exact folder is not compared. */
const isOursOnLinux = (pid: number, dataDirectory: string): boolean => {
  try {
    const executable = readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, '');
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return isEmbeddedExecutable(executable) && commandLine[commandLine.indexOf('-D') + 1] === dataDirectory;
  } catch {
    return false; // gone meanwhile, or another user's and so not ours
  }
};

const isOursByPs = (pid: number, dataDirectory: string): boolean => {
  try {
    const command = execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
    const marker = command.indexOf(' -D ');
    return isEmbeddedExecutable(command.slice(0, marker)) && command.slice(marker + 4).startsWith(`${dataDirectory} -c`);
  } catch {
    return false;
  }
};

const isEmbeddedExecutable = (path: string): boolean =>
  basename(path) === 'postgres' && /^native(-|$)/.test(basename(dirname(dirname(path))));
