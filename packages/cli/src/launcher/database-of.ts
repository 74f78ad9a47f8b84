import type { CommandIo } from '../command.ts';
import { Problem } from '../problem.ts';
import { findRunning } from './running.ts';
import { parseLauncherSettings } from './settings.ts';
import { statePaths } from './state-directory.ts';

/**
 * The database that a command works on: DATABASE_URL, else that of the instance which runs on this data folder.
 *
 * @throws Problem where there is neither
 */
export const databaseOf = async (io: CommandIo): Promise<string> => {
  const settings = parseLauncherSettings(io.environment);
  const url = settings.databaseUrl ?? (await findRunning(statePaths(settings.dataDirectory)))?.connectionString;
  if (url === undefined) {
    throw new Problem('DATABASE_URL is not set, and no instance runs here.', 'set DATABASE_URL, or run start in another terminal');
  }
  return url;
};
