import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { delimiter, join } from 'node:path';
import { executablePath } from '../environment.ts';
import { Problem } from '../problem.ts';
import { describeEnding, ended, pause, within } from '../processes/ended.ts';
import { findFreePort } from '../processes/free-port.ts';
import { lastLines } from '../processes/log-tail.ts';

export type RunningRedis = { readonly url: string; readonly pid: number; stop(): Promise<void> };

/** The `redis-server` on PATH, or `null`. */
export const findRedis = (): string | null => {
  for (const folder of executablePath().split(delimiter)) {
    const candidate = join(folder, 'redis-server');
    try {
      if (folder !== '') accessSync(candidate, constants.X_OK);
      if (folder !== '') return candidate;
    } catch {
      // not in this folder
    }
  }
  return null;
};

/**
 * Starts a Redis on 127.0.0.1 for tests, with the settings that BullMQ asks for (`noeviction`, an append-only file).
 *
 * @throws Problem where there is none on PATH, or it does not answer within 10 s
 */
export const startRedis = async (task: {
  /** Holds the append-only file; made where it is missing. */
  readonly dir: string;
  readonly port?: number;
  /** redis.conf settings that override the defaults. */
  readonly settings?: Readonly<Record<string, string>>;
}): Promise<RunningRedis> => {
  const executable = findRedis();
  if (executable === null) throw new Problem('There is no redis-server on PATH.', 'install it: apt-get install redis-server');
  await mkdir(task.dir, { recursive: true });
  const port = task.port ?? (await findFreePort());
  const settings = { ...defaults, ...task.settings, bind: '127.0.0.1', port: String(port), dir: task.dir };
  const logPath = join(task.dir, 'redis.log');
  const log = await open(logPath, 'a', 0o600);
  const child = spawn(
    executable,
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    {
      cwd: '/',
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
    },
  );
  await log.close();
  const end = ended(child);
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    if ((await within(5_000, end)) === 'too late') child.kill('SIGKILL');
    await end;
  };
  const answer = await within(10_000, Promise.race([untilPong(port, end), end.then(describeEnding)]));
  if (answer === 'pong' && child.pid !== undefined) return { url: `redis://127.0.0.1:${port}`, pid: child.pid, stop };
  if (answer === 'too late') await stop();
  const words = (await lastLines(logPath, 5)).join('\n    ');
  throw new Problem(
    `redis-server did not start on 127.0.0.1:${port} (${answer}).\n    ${words}`,
    'choose another port, or look into the log above.',
  );
};

const defaults = {
  save: '',
  appendonly: 'yes',
  appendfsync: 'everysec',
  'maxmemory-policy': 'noeviction',
  daemonize: 'no',
  loglevel: 'warning',
} as const;

const untilPong = async (port: number, end: Promise<unknown>): Promise<'pong' | 'no answer'> => {
  let over = false;
  void end.then(() => {
    over = true;
  });
  while (!over) {
    if (await ping(port)) return 'pong';
    await pause(25);
  }
  return 'no answer';
};

const ping = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port, timeout: 1_000 });
    const answer = (pong: boolean): void => {
      socket.destroy();
      resolve(pong);
    };
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (data) => answer(data.toString('latin1').startsWith('+PONG')));
    socket.once('error', () => answer(false));
    socket.once('timeout', () => answer(false));
    socket.once('close', () => resolve(false));
  });
