import { readFile } from 'node:fs/promises';
import type { CommandIo } from '../command.ts';
import { Problem, unlessMissing } from '../problem.ts';
import { parseLauncherSettings } from './settings.ts';
import { statePaths } from './state-directory.ts';

/**
 * The secrets that a command opens and seals with: GRANTLOG_SECRET, else the development secret of this data folder.
 *
 * @throws Problem where there is neither
 */
export const secretsOf = async (io: CommandIo): Promise<readonly string[]> => {
  const settings = parseLauncherSettings(io.environment);
  const secret = settings.secret ?? (await unlessMissing(readFile(statePaths(settings.dataDirectory).secret, 'utf8')));
  if (secret === null)
    throw new Problem('GRANTLOG_SECRET is not set, and no start has kept one here.', 'set GRANTLOG_SECRET to what the services have.');
  return secret.split(/[\s,]+/).filter((each) => each !== '');
};
