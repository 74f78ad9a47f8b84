import { readFile, rm } from 'node:fs/promises';
import { unlessMissing } from '../problem.ts';
import { lockHolder } from '../processes/lock.ts';
import { type StatePaths, writePrivately } from './state-directory.ts';

/** An instance that is up, for a second `start` and for commands that work beside it. */
export type RunningInstance = {
  readonly pid: number;
  readonly url: string;
  readonly logs: string;
  /** Holds the database's password, hence the file's mode. */
  readonly connectionString: string;
};

/** The instance that runs on this data folder and is ready, or `null`. A file that a killed launcher left does not count. */
export const findRunning = async (paths: StatePaths): Promise<RunningInstance | null> => {
  const holder = await lockHolder(paths.lock);
  if (holder === null) return null;
  const text = await unlessMissing(readFile(paths.running, 'utf8'));
  if (text === null) return null;
  const instance = JSON.parse(text) as RunningInstance; // our own file, written by announce
  return instance.pid === holder.pid ? instance : null;
};

/** Makes the instance known. The caller holds the launcher's lock. */
export const announce = (paths: StatePaths, instance: RunningInstance): Promise<void> =>
  writePrivately(paths.running, `${JSON.stringify(instance, null, 2)}\n`);

export const withdraw = (paths: StatePaths): Promise<void> => rm(paths.running, { force: true });
