import { spawn } from 'node:child_process';
import { chown, mkdir, readdir, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { diskFull } from '../disk-problem.ts';
import { unlessMissing } from '../problem.ts';
import { describeEnding, ended } from '../processes/ended.ts';
import { explainFailure, explainSpawnError } from './failure.ts';
import type { Home } from './home.ts';
import { spawnIdentity } from './server-user.ts';

/** The superuser of every embedded cluster. */
export const superuser = 'grantlog';

/** An empty cluster with its write-ahead log takes 40 MB, its first hour of use some more. */
const neededBytes = 256 * 1024 * 1024;

/**
 * Makes the cluster of `home` with initdb, unless it is there.
 *
 * initdb works on a draft that is renamed once it is whole: a start killed in the middle leaves nothing that looks like a database.
 *
 * @throws Problem where the disk is full or initdb fails
 */
export const initialiseCluster = async (task: {
  readonly home: Home;
  readonly password: string;
  readonly sync: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (message: string) => void;
}): Promise<void> => {
  const { home } = task;
  if ((await unlessMissing(stat(join(home.dataDirectory, 'PG_VERSION')))) !== null) return;
  task.onProgress('creating the database');
  await removeDrafts(home.directory);
  const space = await statfs(home.directory);
  if (space.bavail * space.bsize < neededBytes) throw diskFull(home.directory);

  const draft = join(home.directory, `${draftPrefix}${crypto.randomUUID()}`);
  const passwordFile = `${draft}.password`;
  try {
    await mkdir(draft, { mode: 0o700 });
    await writeFile(passwordFile, `${task.password}\n`, { mode: 0o600 });
    if (home.user.kind === 'unprivileged') {
      await chown(draft, home.user.uid, home.user.gid);
      await chown(passwordFile, home.user.uid, home.user.gid);
    }
    await runInitdb({ ...task, draft, passwordFile });
    await rename(draft, home.dataDirectory);
  } finally {
    await rm(draft, { recursive: true, force: true });
    await rm(passwordFile, { force: true });
  }
};

const draftPrefix = '.initdb-';

const removeDrafts = async (directory: string): Promise<void> => {
  for (const name of await readdir(directory)) {
    if (name.startsWith(draftPrefix)) await rm(join(directory, name), { recursive: true, force: true });
  }
};

const runInitdb = async (task: {
  readonly home: Home;
  readonly draft: string;
  readonly passwordFile: string;
  readonly sync: boolean;
  readonly signal: AbortSignal | undefined;
}): Promise<void> => {
  const options = [
    '-D',
    task.draft,
    `--username=${superuser}`,
    `--pwfile=${task.passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
    ...(task.sync ? [] : ['--no-sync']),
  ];
  const child = spawn(join(task.home.native, 'bin', 'initdb'), options, {
    ...spawnIdentity(task.home.user),
    cwd: '/',
    env: { LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // ^C is ours to pass on
  });
  const kill = (): void => void child.kill('SIGTERM');
  task.signal?.addEventListener('abort', kill, { once: true });
  const output: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => output.push(text));
  try {
    const ending = await ended(child).catch((error: unknown) => {
      throw explainSpawnError(error);
    });
    task.signal?.throwIfAborted();
    if (ending.code === 0) return;
    const lines = output
      .join('')
      .split('\n')
      .filter((line) => line.trim() !== '');
    throw explainFailure({ step: 'initdb', ending: describeEnding(ending), lines, directory: task.home.directory, port: null });
  } finally {
    task.signal?.removeEventListener('abort', kill);
  }
};
