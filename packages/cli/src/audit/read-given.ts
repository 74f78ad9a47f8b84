import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { Problem, systemErrorCode } from '../problem.ts';
import { refuseToken } from './read-id.ts';

/**
 * The text of a file, or of standard input for `-`, without the space around it. For what must stand in no argument.
 *
 * @throws Problem where it cannot be read or holds nothing
 * @throws UsageError where a token stands in place of its file's name
 */
export const readGiven = async (path: string): Promise<string> => {
  refuseToken(path);
  const read = path === '-' ? readAll(process.stdin) : readFile(path, 'utf8');
  const text = await read.catch((error: unknown) => {
    throw new Problem(`${path} cannot be read (${systemErrorCode(error) ?? String(error)})`, 'check the path, and that you may read it');
  });
  if (text.trim() === '')
    throw new Problem(`${path === '-' ? 'Standard input' : path} is empty`, 'write the token into it, and nothing else');
  return text.trim();
};
