import { readdir, readFile } from 'node:fs/promises';

const ticksPerSecond = 100;

type Stat = { readonly parent: number; readonly ticks: number };

const readStat = async (pid: string): Promise<Stat | null> => {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (text === null) return null;
  // The command stands in parentheses and may hold anything; the fields that count come after it (proc(5)).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [parent, user, system, childUser, childSystem] = [fields[1], fields[11], fields[12], fields[13], fields[14]].map(Number);
  return { parent: parent ?? 0, ticks: (user ?? 0) + (system ?? 0) + (childUser ?? 0) + (childSystem ?? 0) };
};

/**
 * Microseconds of CPU that a process and its children have used so far, ended children included; resolution 10 ms.
 * Null where the system has no `/proc`.
 */
export const cpuOfTree = async (root: number): Promise<number | null> => {
  const names = await readdir('/proc').catch(() => []);
  const stats = new Map<number, Stat>();
  for (const name of names.filter((each) => /^\d+$/.test(each))) {
    const stat = await readStat(name);
    if (stat !== null) stats.set(Number(name), stat);
  }
  if (!stats.has(root)) return null;
  const isBelow = (pid: number): boolean => pid === root || (stats.has(pid) && isBelow(stats.get(pid)?.parent ?? 0));
  const ticks = [...stats].filter(([pid]) => pid > 1 && isBelow(pid)).reduce((sum, [, stat]) => sum + stat.ticks, 0);
  return (ticks / ticksPerSecond) * 1e6;
};
