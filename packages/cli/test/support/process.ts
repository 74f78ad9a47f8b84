import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A script of this folder as a process of its own, with what it printed so far. */
export type Script = { readonly child: ChildProcess; readonly pid: number; output(): string; readonly exitCode: Promise<number | null> };

export const runScript = (
  name: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  through: readonly string[] = [],
): Script => {
  const [command = process.execPath, ...rest] = [...through, process.execPath, join(import.meta.dirname, name), ...args];
  const child = spawn(command, rest, { env: { PATH: process.env.PATH, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} did not start`);
  const chunks: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => chunks.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => chunks.push(text));
  const exitCode = new Promise<number | null>((resolve) => child.once('close', resolve));
  onTestFinished(() => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  });
  return { child, pid, output: () => chunks.join(''), exitCode };
};

/** The numbers of the processes whose command line contains `text`, zombies aside. */
export const processesWith = (text: string): readonly number[] =>
  execFileSync('ps', ['-ww', '-eo', 'pid=,stat=,command='], { encoding: 'utf8' })
    .split('\n')
    .flatMap((line) => {
      const [pid = '', state = '', ...command] = line.trim().split(/\s+/);
      return command.join(' ').includes(text) && !state.startsWith('Z') && Number(pid) !== process.pid ? [Number(pid)] : [];
    });
