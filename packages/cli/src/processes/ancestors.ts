import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { identify, isAlive, type ProcessIdentity, readLinuxStat } from './identity.ts';

/** A chain longer than this is not a package manager's. */
const furthest = 8;

/**
 * The processes between us and the package manager that the person started (`npx` → `sh` → `pnpm` → `sh` → us), nearest first.
 *
 * Killing npx alone leaves pnpm and us running, with nobody at the terminal any more; each of these must live for us to go on.
 * Empty when no package manager started us: then the parent may well be a shell that is meant to end first.
 */
export const findPackageManagers = (): readonly ProcessIdentity[] => {
  const chain: ProcessIdentity[] = [];
  let lastManager = 0;
  for (let pid = process.ppid; pid > 1 && chain.length < furthest; pid = parentOf(pid)) {
    const identity = identify(pid);
    if (identity === null) break;
    chain.push(identity);
    if (isPackageManager(commandOf(pid))) lastManager = chain.length;
  }
  return chain.slice(0, lastManager);
};

/** Calls `onGone` once when one of the processes has ended. Returns how to stop watching. */
export const watchProcesses = (watched: readonly ProcessIdentity[], onGone: () => void): (() => void) => {
  const timer = setInterval(() => {
    if (watched.every(isAlive)) return;
    clearInterval(timer);
    onGone();
  }, pollMs);
  timer.unref();
  return () => clearInterval(timer);
};

/** Reading proc is cheap; elsewhere each look is a process of its own. */
const pollMs = process.platform === 'linux' ? 500 : 2_000;

/** npm shows itself as `npm exec …` or `npm run …`; pnpm as a script or an executable of its name. */
export const isPackageManager = (command: readonly string[]): boolean =>
  command.slice(0, 2).some((word) => /(^|\/)(npm|npx|pnpm|yarn)(-cli)?(\.c?js|\.mjs)?( |$)/.test(word));

const parentOf = (pid: number): number => {
  if (process.platform === 'linux') return readLinuxStat(pid)?.parent ?? 0;
  return Number(ps(pid, 'ppid='));
};

const commandOf = (pid: number): readonly string[] => {
  if (process.platform !== 'linux') return ps(pid, 'command=').split(' ');
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
};

const ps = (pid: number, field: string): string => {
  try {
    return execFileSync('ps', ['-ww', '-o', field, '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
};
