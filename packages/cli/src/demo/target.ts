import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandIo } from '../command.ts';
import { removeEmbeddedPostgres } from '../embedded/remove-embedded-postgres.ts';
import type { Environment } from '../environment.ts';
import { findRunning } from '../launcher/running.ts';
import { parseLauncherSettings } from '../launcher/settings.ts';
import { checkout, statePaths } from '../launcher/state-directory.ts';
import { Problem } from '../problem.ts';
import { ended, pause } from '../processes/ended.ts';
import { findFreePort } from '../processes/free-port.ts';
import type { Demo } from '../seed/contract.ts';
import { readDemo } from '../seed/demo-file.ts';

/** The server that the demo runs against; `owned` is the database of one that goes away with the demo. */
export type Target = {
  readonly demo: Demo;
  readonly owned: { readonly connectionString: string } | null;
  readonly stop: () => Promise<void>;
};

/** The server that already runs here, if one does. */
export const findTarget = async (io: CommandIo): Promise<Target | null> => {
  const paths = statePaths(parseLauncherSettings(io.environment).dataDirectory);
  if ((await findRunning(paths)) === null) return null;
  const demo = await readDemo(paths.demo);
  return demo === null ? null : { demo, owned: null, stop: async () => {} };
};

/**
 * Starts a server of the demo's own, in a folder and on a database of its own; `stop` ends it and removes both.
 *
 * @throws Problem where it does not come up; the reason has been printed by then
 */
export const startTarget = async (io: CommandIo, signal: AbortSignal): Promise<Target> => {
  io.note('No server runs here; starting one for the demo.');
  const dataDir = await mkdtemp(join(tmpdir(), 'grantlog-demo-'));
  const paths = statePaths(dataDir);
  const child = spawn(process.execPath, [join(checkout, 'packages/cli/src/main.ts'), 'start'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: await ownEnvironment(io.environment, dataDir),
    detached: true, // ^C is ours to pass on, so that the folder is removed after its last user
  });
  const end = ended(child);
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await end.catch(() => undefined); // it never ran
    await removeEmbeddedPostgres(paths.postgres); // its files may lie in a system folder
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    const deadline = performance.now() + 120_000;
    while (child.exitCode === null && performance.now() < deadline) {
      const running = await findRunning(paths);
      const demo = running === null ? null : await readDemo(paths.demo);
      if (running !== null && demo !== null) return { demo, owned: { connectionString: running.connectionString }, stop };
      await pause(200, signal);
    }
    throw new Problem('The demo could not start a server', 'Run start by itself and read what it says');
  } catch (error) {
    await stop();
    throw error;
  }
};

/** What the demo's own server must not share with any other: whoever set DATABASE_URL did not ask for demo accounts in it. */
const own = ['DATABASE_URL', 'DATABASE_DIRECT_URL', 'REDIS_URL', 'GRANTLOG_SECRET', 'PUBLIC_URL', 'HOST', 'PORT', 'OPS_PORT', 'DATA_DIR'];

const ownEnvironment = async (given: Environment, dataDir: string): Promise<Environment> => {
  const kept = Object.entries(given).filter(([name]) => !own.includes(name.replace(/_FILE$/, '')));
  // The worker's operations port follows the API's, and the example resources' port that.
  const opsPort = await findFreePort(3);
  let port = opsPort;
  while (port >= opsPort && port <= opsPort + 2) port = await findFreePort();
  return { ...Object.fromEntries(kept), DATA_DIR: dataDir, PORT: String(port), OPS_PORT: String(opsPort) };
};
