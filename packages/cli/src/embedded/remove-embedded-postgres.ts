import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem, unlessMissing } from '../problem.ts';
import { removeTombstones, tryLock } from '../processes/lock.ts';
import { findSystemFolder } from './home.ts';
import { endServer, findServer } from './server-identity.ts';
import { clusterLockPath, removeHome } from './start-embedded-postgres.ts';

/**
 * Removes the cluster of `dataRoot`, wherever it lives, after ending a server that a killed process left behind.
 *
 * @throws Problem while a living process uses it
 */
export const removeEmbeddedPostgres = async (dataRoot: string): Promise<void> => {
  const root = await unlessMissing(realpath(dataRoot));
  if (root === null) return;
  const attempt = await tryLock(clusterLockPath(root));
  if (attempt.outcome === 'held') {
    throw new Problem(`The database in ${root} is used by process ${attempt.owner.pid}.`, 'stop that process first.');
  }
  try {
    const directory = (await findSystemFolder(root)) ?? root;
    const orphan = await findServer(join(directory, 'data'));
    if (orphan !== null) await endServer(orphan);
    await removeHome(root, directory);
    await removeTombstones(clusterLockPath(root));
  } finally {
    await attempt.release();
  }
};
