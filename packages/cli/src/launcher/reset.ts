import { readdir, rm, rmdir } from 'node:fs/promises';
import type { CommandIo } from '../command.ts';
import { removeEmbeddedPostgres } from '../embedded/remove-embedded-postgres.ts';
import { Problem, unlessMissing } from '../problem.ts';
import { removeTombstones, tryLock } from '../processes/lock.ts';
import { readDemo } from '../seed/demo-file.ts';
import { removeSampleTokens } from './sample-tokens.ts';
import { parseLauncherSettings } from './settings.ts';
import { statePaths } from './state-directory.ts';

/**
 * Removes what `start` keeps: by name, never the whole folder, for DATA_DIR may hold other things as well.
 *
 * With a database of one's own it leaves the secret, without which that database could never be read again, its credentials, and
 * the sample client's tokens, which still count in it.
 *
 * @throws Problem while an instance runs
 */
export const reset = async (io: CommandIo): Promise<number> => {
  const settings = parseLauncherSettings(io.environment);
  const paths = statePaths(settings.dataDirectory);
  if ((await unlessMissing(readdir(paths.directory))) === null) {
    io.out(`There is nothing to remove: ${paths.directory} does not exist.`);
    return 0;
  }
  const attempt = await tryLock(paths.lock);
  if (attempt.outcome === 'held') {
    throw new Problem(
      `Grantlog is running here (process ${attempt.owner.pid}).`,
      `stop it first: ^C in its terminal, or kill ${attempt.owner.pid}`,
    );
  }
  let left: string | null = null;
  try {
    if (settings.databaseUrl === null) {
      const demo = await readDemo(paths.demo).catch(() => null); // one that cannot be read is removed all the same
      left = await removeSampleTokens(paths, [settings.publicUrl, ...(demo === null ? [] : [demo.url])]);
    }
    await removeEmbeddedPostgres(paths.postgres);
    const ours = settings.databaseUrl === null ? [paths.demo, paths.secret] : [];
    for (const path of [paths.logs, paths.running, ...ours]) await rm(path, { recursive: true, force: true });
    await removeTombstones(paths.lock);
  } finally {
    await attempt.release();
  }
  await rmdir(paths.directory).catch(() => undefined); // something that is not ours is in it
  io.out(`Removed the data in ${paths.directory}.`);
  if (left !== null) io.out(`The tokens of ${left} stay in ${paths.sampleClient}: they are another server's, where they still count.`);
  if (settings.databaseUrl !== null) io.out(`The database at DATABASE_URL was not touched; what opens it stays in ${paths.directory}.`);
  return 0;
};
