import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process that cannot be mistaken for a later one with the same number. */
export type ProcessIdentity = { readonly pid: number; readonly startedAt: string };

/** Who runs as `pid` now, or `null` when nobody does. A zombie has ended: nobody. */
export const identify = (pid: number): ProcessIdentity | null => {
  const startedAt = process.platform === 'linux' ? startOnLinux(pid) : startByPs(pid);
  return startedAt === null ? null : { pid, startedAt };
};

/** This very process. */
export const ownIdentity = (): ProcessIdentity => identify(process.pid) ?? { pid: process.pid, startedAt: 'unknown' };

/** Whether exactly this process, not a successor of its number, still runs. */
export const isAlive = (identity: ProcessIdentity): boolean => identify(identity.pid)?.startedAt === identity.startedAt;

/** Parses what {@link identify} gave and a file kept; `null` for anything else. */
export const parseIdentity = (value: unknown): ProcessIdentity | null => {
  if (typeof value !== 'object' || value === null) return null;
  if (!('pid' in value) || !('startedAt' in value)) return null;
  const { pid, startedAt } = value;
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0 || typeof startedAt !== 'string') return null;
  return { pid, startedAt };
};

/** State, parent and start of a process by proc(5); the command is skipped because it may hold spaces and brackets. */
export const readLinuxStat = (pid: number): { readonly state: string; readonly parent: number; readonly startTicks: string } | null => {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    const [state, parent] = fields;
    const startTicks = fields[19];
    if (state === undefined || parent === undefined || startTicks === undefined) return null;
    return { state, parent: Number(parent), startTicks };
  } catch {
    return null;
  }
};

/** Ticks count from the boot, so the boot's id belongs to the identity: a lock may outlive a reboot. */
const startOnLinux = (pid: number): string | null => {
  const stat = readLinuxStat(pid);
  if (stat === null || stat.state === 'Z' || stat.state === 'X') return null;
  return `${bootId()}/${stat.startTicks}`;
};

const bootId = (): string => {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'boot';
  }
};

const startByPs = (pid: number): string | null => {
  try {
    const answer = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [state = '', ...start] = answer.trim().split(/\s+/);
    return state === '' || state.startsWith('Z') ? null : start.join(' ');
  } catch {
    return null;
  }
};
