import { type ChildProcess, spawn } from 'node:child_process';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { diskFull, isDiskFull } from '../disk-problem.ts';
import { unlessMissing } from '../problem.ts';
import { describeEnding, type Ending, ended, pause, within } from '../processes/ended.ts';
import { lastLines } from '../processes/log-tail.ts';
import { classifyFailure, explainFailure, explainSpawnError, type ServerFailure } from './failure.ts';
import type { Home } from './home.ts';
import { readPostmasterFile } from './server-identity.ts';
import { spawnIdentity } from './server-user.ts';

/** A server that accepts connections. */
export type RunningServer = {
  readonly pid: number;
  readonly ended: Promise<Ending>;
  /** Fast shutdown, or immediate where the data is not kept; then stronger signals. Resolves once it has ended. */
  stop(): Promise<void>;
};

export type ServerStart =
  | { readonly outcome: 'running'; readonly server: RunningServer }
  | { readonly outcome: 'failed'; readonly failure: ServerFailure; readonly error: Error };

/**
 * Starts postgres on the home's data and waits until it accepts connections.
 *
 * Its output goes straight to `logPath`, not through us: it must outlive a launcher that is killed.
 * It has a process group of its own, so that ^C reaches it only after the services that use it.
 */
export const startServer = async (task: {
  readonly home: Home;
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly logPath: string;
  readonly stopSignal: 'SIGINT' | 'SIGQUIT';
  readonly signal: AbortSignal | undefined;
}): Promise<ServerStart> => {
  const { home } = task;
  const settings = {
    ...task.settings,
    listen_addresses: '127.0.0.1',
    port: String(task.port),
    unix_socket_directories: '',
  };
  await unlessMissing(rename(task.logPath, `${task.logPath}.1`));
  const log = await open(task.logPath, 'a', 0o600);
  const child = spawn(
    join(home.native, 'bin', 'postgres'),
    ['-D', home.dataDirectory, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    { ...spawnIdentity(home.user), cwd: '/', env: { LC_ALL: 'C' }, stdio: ['ignore', log.fd, log.fd], detached: true },
  );
  const end = ended(child);
  end.catch(() => undefined); // handled below; an `error` after the start has nobody else to tell
  await log.close();

  const became = await becomeReady(child, end, home.dataDirectory, task.signal);
  if (became === 'ready' && child.pid !== undefined) {
    return { outcome: 'running', server: { pid: child.pid, ended: end, stop: () => stopChild(child, end, task.stopSignal) } };
  }
  if (became === 'aborted') {
    await stopChild(child, end, task.stopSignal);
    task.signal?.throwIfAborted();
  }
  if (became === 'slow') await stopChild(child, end, task.stopSignal);
  const lines = await lastLines(task.logPath, 20);
  if (await isDiskFull(home.directory)) return { outcome: 'failed', failure: 'disk full', error: diskFull(home.directory) };
  const ending =
    became === 'slow'
      ? 'not ready after 120 s'
      : describeEnding(await end.catch((error: unknown) => Promise.reject(explainSpawnError(error))));
  return {
    outcome: 'failed',
    failure: classifyFailure(lines),
    error: explainFailure({ step: 'postgres', ending, lines, directory: home.directory, port: task.port }),
  };
};

/** As long as a crashed server may replay its write-ahead log. */
const readyWithinMs = 120_000;

const becomeReady = async (
  child: ChildProcess,
  end: Promise<Ending>,
  dataDirectory: string,
  signal: AbortSignal | undefined,
): Promise<'ready' | 'ended' | 'aborted' | 'slow'> => {
  let over = false;
  const markOver = (): void => {
    over = true;
  };
  end.then(markOver, markOver);
  const deadline = performance.now() + readyWithinMs;
  while (performance.now() < deadline) {
    if (signal?.aborted === true) return 'aborted';
    if (over) return 'ended';
    const file = await readPostmasterFile(dataDirectory);
    if (file !== null && file.pid === child.pid && file.ready) return 'ready';
    await pause(20);
  }
  return 'slow';
};

const stopChild = async (child: ChildProcess, end: Promise<Ending>, first: 'SIGINT' | 'SIGQUIT'): Promise<void> => {
  const settled = end.then(
    () => undefined,
    () => undefined,
  );
  for (const [signal, waitMs] of [
    [first, 8_000],
    ['SIGQUIT', 3_000],
    ['SIGKILL', 2_000],
  ] as const) {
    child.kill(signal);
    if ((await within(waitMs, settled)) !== 'too late') return;
  }
};
