import { chmod, mkdir, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { explainDiskError } from '../disk-problem.ts';
import { Problem, systemErrorCode } from '../problem.ts';

/** The checkout that this file belongs to; the services are found in it. */
export const checkout = join(import.meta.dirname, '..', '..', '..', '..');

/** What `start` keeps between runs. Every name in the data folder is listed here: `reset` removes these and nothing else. */
export type StatePaths = {
  readonly directory: string;
  readonly postgres: string;
  readonly logs: string;
  /** The development secret. */
  readonly secret: string;
  /** Credentials of the seeded platforms. */
  readonly demo: string;
  /** The tokens that the sample client keeps, which it puts here by itself. */
  readonly sampleClient: string;
  /** Where the running instance listens; there only while one runs. */
  readonly running: string;
  readonly lock: string;
};

/** The paths in the data folder: `DATA_DIR`, or `.grantlog` in the checkout. */
export const statePaths = (directory: string): StatePaths => ({
  directory,
  postgres: join(directory, 'postgres'),
  logs: join(directory, 'logs'),
  secret: join(directory, 'secret'),
  demo: join(directory, 'demo.json'),
  sampleClient: join(directory, 'example-client'),
  running: join(directory, 'running.json'),
  lock: join(directory, 'launcher.lock'),
});

/**
 * Makes the data folder, and resolves links in its path.
 *
 * @throws Problem where it cannot be made or written
 */
export const makeStateDirectory = async (directory: string): Promise<StatePaths> => {
  try {
    const made = await mkdir(directory, { recursive: true });
    if (made !== undefined) await chmod(directory, 0o755); // Postgres may run as another user; each secret in it is 0600
    const paths = statePaths(await realpath(directory));
    await mkdir(paths.logs, { recursive: true, mode: 0o700 });
    return paths;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'EEXIST' || code === 'ENOTDIR') {
      throw new Problem(`The data folder ${directory} cannot be made: a file is in its place.`, 'set DATA_DIR to a folder.', {
        cause: error,
      });
    }
    throw explainDiskError(error, directory);
  }
};

/** Writes a file that only its owner may read; readers see the old text or the new, never a part. */
export const writePrivately = async (path: string, text: string): Promise<void> => {
  const draft = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    await writeFile(draft, text, { mode: 0o600, flush: true });
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
};
