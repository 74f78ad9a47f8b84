import type { CommandIo } from '../command.ts';
import { explainDiskError } from '../disk-problem.ts';
import { Problem } from '../problem.ts';
import { describeEnding, pause } from '../processes/ended.ts';
import { tryLock } from '../processes/lock.ts';
import { readDemo } from '../seed/demo-file.ts';
import { bringUp, type Watched } from './bring-up.ts';
import { Ended, listenForEnd, unlessEnded } from './end-request.ts';
import type { LauncherParts } from './parts.ts';
import { findRunning, type RunningInstance } from './running.ts';
import { parseLauncherSettings } from './settings.ts';
import { makeStateDirectory, type StatePaths } from './state-directory.ts';
import { summarise } from './summary.ts';
import { makeTeardown, type Teardown } from './teardown.ts';

/**
 * Runs everything until it is told to end, and leaves no process behind.
 *
 * Returns 0 after an orderly end, or when another start already runs here; 130 when it was ended before it was up.
 * @throws Problem when something cannot start, or ends by itself; everything else is stopped first
 */
export const start = async (task: {
  readonly io: CommandIo;
  readonly verbose: boolean;
  readonly parts: LauncherParts;
}): Promise<number> => {
  const { io } = task;
  const settings = parseLauncherSettings(io.environment);
  const paths = await makeStateDirectory(settings.dataDirectory);
  const end = listenForEnd();
  const teardown = makeTeardown();
  let up = false;
  try {
    const other = await lockOrFindOther({ paths, io, signal: end.signal, teardown });
    if (other !== null) {
      io.note(`Grantlog already runs here (process ${other.pid}).`);
      io.out(summarise({ url: other.url, demo: await readDemo(paths.demo), demoPath: paths.demo, logs: other.logs }));
      return 0;
    }
    const watched = await bringUp({ ...task, settings, paths, signal: end.signal, teardown });
    up = true;
    await untilOneEnds(watched, end.signal);
  } catch (error) {
    if (!(error instanceof Ended)) throw explainDiskError(error, paths.directory);
    io.note(`\n· stopping (${error.reason})`);
  } finally {
    await teardown.run();
    end.dispose();
  }
  return up ? 0 : 130;
};

/** How long a start waits for another one, which may be downloading nothing but is migrating a large database. */
const otherStartMs = 180_000;

/** Takes the launcher's lock, or waits until the one who has it is up. */
const lockOrFindOther = async (task: {
  readonly paths: StatePaths;
  readonly io: CommandIo;
  readonly signal: AbortSignal;
  readonly teardown: Teardown;
}): Promise<RunningInstance | null> => {
  const { paths, signal } = task;
  const deadline = performance.now() + otherStartMs;
  for (let told = false; ; told = true) {
    const attempt = await tryLock(paths.lock);
    if (attempt.outcome === 'acquired') {
      task.teardown.add(attempt.release);
      return null;
    }
    const other = await findRunning(paths);
    if (other !== null) return other;
    if (performance.now() > deadline) {
      throw new Problem(
        `Process ${attempt.owner.pid} has been starting or stopping here for three minutes.`,
        `end it (kill ${attempt.owner.pid}) and start again.`,
      );
    }
    if (!told) task.io.note(`· waiting for process ${attempt.owner.pid}, which is starting or stopping here`);
    await pause(250, signal);
  }
};

/** Never resolves: one of them ends by itself, which is a problem, or the end is requested. */
const untilOneEnds = async (watched: readonly Watched[], signal: AbortSignal): Promise<never> => {
  const first = await unlessEnded(
    signal,
    Promise.race(watched.map(({ ended, explain }) => ended.then((ending) => ({ explain, how: describeEnding(ending) })))),
  );
  throw await first.explain(first.how);
};
