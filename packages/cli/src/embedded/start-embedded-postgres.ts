import { chmod, mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { explainDiskError } from '../disk-problem.ts';
import { Problem, unlessMissing } from '../problem.ts';
import { type Ending, pause } from '../processes/ended.ts';
import { checkPort, findFreePort } from '../processes/free-port.ts';
import { LockHeld, lock } from '../processes/lock.ts';
import { findBinaries } from './binaries.ts';
import { type Home, prepareHome } from './home.ts';
import { initialiseCluster, superuser } from './initialise-cluster.ts';
import { endServer, findServer, removeMisleadingPostmasterFile } from './server-identity.ts';
import { type RunningServer, startServer } from './server-process.ts';
import { removeEmptyParent } from './system-folder.ts';

export type EmbeddedPostgresOptions = {
  /** The folder for this cluster alone; made where it is missing. */
  readonly dataRoot: string;
  /** A port of 127.0.0.1; left out, a free one is chosen and kept for the next start. */
  readonly port?: number;
  /** Postgres settings, `{ fsync: 'off' }`; address, port and sockets are not to be chosen. */
  readonly settings?: Readonly<Record<string, string>>;
  /** `kept` for the next start, or `throw-away`: not synchronised when made, and removed by `stop`. */
  readonly lifetime: 'kept' | 'throw-away';
  readonly onProgress: (message: string) => void;
  /** How long to wait for another process that uses the same folder, 30 s unless told. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal | undefined;
};

export type EmbeddedPostgres = {
  /** Of the superuser and the database `postgres`; holds the password. */
  readonly url: string;
  readonly pid: number;
  readonly logPath: string;
  /** Resolves when the server ends, stopped or not. */
  readonly ended: Promise<Ending>;
  /** Ends the server, and waits for it; may be called twice. */
  stop(): Promise<void>;
};

/**
 * Starts the Postgres that comes with the installation on `dataRoot`, making the cluster on the first start.
 *
 * One process at a time uses a data root; a server left behind by a killed process is recognised and ended first.
 * It listens on 127.0.0.1 only. Never runs as root.
 *
 * @throws Problem with the setting that helps: disk full, port in use, folder in use or not permitted, no binaries for this system
 */
export const startEmbeddedPostgres = async (options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> => {
  try {
    return await startCluster(options);
  } catch (error) {
    throw explainDiskError(error, options.dataRoot);
  }
};

const startCluster = async (options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> => {
  const dataRoot = await makeDataRoot(options.dataRoot);
  const held = await takeLock(dataRoot, options);
  try {
    const home = await prepareHome({ dataRoot, binaries: await findBinaries(), onProgress: options.onProgress });
    await endOrphan(home, options.onProgress);
    const password = await keptPassword(home);
    const sync = options.lifetime === 'kept';
    await initialiseCluster({ home, password, sync, signal: options.signal, onProgress: options.onProgress });
    options.signal?.throwIfAborted();
    const logPath = join(dataRoot, 'postgres.log');
    const { server, port } = await startOnSomePort(home, logPath, options);
    const endOnExit = (): void => endQuietly(server.pid);
    process.once('exit', endOnExit);
    const stop = async (): Promise<void> => {
      await server.stop();
      process.removeListener('exit', endOnExit);
      if (options.lifetime === 'throw-away') await removeHome(dataRoot, home.directory);
      await held.release();
    };
    let stopping: Promise<void> | null = null;
    return {
      url: `postgresql://${superuser}:${password}@127.0.0.1:${port}/postgres`,
      pid: server.pid,
      logPath,
      ended: server.ended,
      stop: () => (stopping ??= stop()),
    };
  } catch (error) {
    await held.release();
    throw error;
  }
};

/** Removes a cluster's files: the system folder first, so that a cut removal leaves the pointer to the rest. */
export const removeHome = async (dataRoot: string, directory: string): Promise<void> => {
  if (directory !== dataRoot) {
    await rm(directory, { recursive: true, force: true });
    await removeEmptyParent(directory);
  }
  await rm(dataRoot, { recursive: true, force: true });
};

/** The lock of a data root. It lies beside the data root, which may be removed while the lock is held. */
export const clusterLockPath = (dataRoot: string): string => `${dataRoot}.lock`;

/** Server arguments and postmaster.pid hold the real path, so every comparison needs it. */
const makeDataRoot = async (path: string): Promise<string> => {
  const made = await mkdir(path, { recursive: true });
  if (made !== undefined) await chmod(path, 0o755); // the user that runs Postgres must enter it, whatever the umask
  return realpath(path);
};

const takeLock = async (dataRoot: string, options: EmbeddedPostgresOptions): Promise<{ release(): Promise<void> }> => {
  try {
    return await lock({
      path: clusterLockPath(dataRoot),
      waitMs: options.waitMs ?? 30_000,
      signal: options.signal,
      onWait: (owner) => options.onProgress(`waiting for process ${owner.pid}, which uses the database in ${dataRoot}`),
    });
  } catch (error) {
    if (!(error instanceof LockHeld)) throw error;
    throw new Problem(
      `The database in ${dataRoot} is used by process ${error.owner.pid}.`,
      'stop that process, or set DATA_DIR to another folder.',
      { cause: error },
    );
  }
};

const endOrphan = async (home: Home, onProgress: (message: string) => void): Promise<void> => {
  const orphan = await findServer(home.dataDirectory);
  if (orphan !== null) {
    onProgress(`ending the database server that an earlier run left behind (process ${orphan.pid})`);
    await endServer(orphan);
  }
  await removeMisleadingPostmasterFile(home.dataDirectory);
};

const keptPassword = async (home: Home): Promise<string> => {
  const path = join(home.directory, 'password');
  const kept = (await unlessMissing(readFile(path, 'utf8')))?.trim() ?? '';
  if (kept !== '') return kept;
  const password = Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString('base64url');
  await writeFile(path, `${password}\n`, { mode: 0o600 });
  return password;
};

/** A port that others could take between the look and the start, so a chosen one is chosen again a few times. */
const startOnSomePort = async (
  home: Home,
  logPath: string,
  options: EmbeddedPostgresOptions,
): Promise<{ readonly server: RunningServer; readonly port: number }> => {
  const stopSignal = options.lifetime === 'kept' ? 'SIGINT' : 'SIGQUIT';
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await keptPort(home));
    const started = await startServer({ home, port, settings: options.settings ?? {}, logPath, stopSignal, signal: options.signal });
    if (started.outcome === 'running') {
      await writeFile(portFile(home), `${port}\n`);
      return { server: started.server, port };
    }
    const mayHelp = started.failure === 'earlier server ending' || (started.failure === 'port in use' && options.port === undefined);
    if (!mayHelp || attempt >= 20) throw started.error;
    await pause(250, options.signal);
  }
};

const portFile = (home: Home): string => join(home.directory, 'port');

const keptPort = async (home: Home): Promise<number> => {
  const kept = Number(await unlessMissing(readFile(portFile(home), 'utf8')));
  if (Number.isInteger(kept) && kept > 0 && kept < 65_536 && (await checkPort(kept, '127.0.0.1')) === 'free') return kept;
  return findFreePort();
};

/** The last resort of a process that exits without `stop`: the server ends by itself a moment later. */
const endQuietly = (pid: number): void => {
  try {
    process.kill(pid, 'SIGINT');
  } catch {
    // it has ended already
  }
};
