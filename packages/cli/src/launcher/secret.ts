import { readFile } from 'node:fs/promises';
import { Problem, unlessMissing } from '../problem.ts';
import { writePrivately } from './state-directory.ts';

/**
 * The secret that wraps every key: the one given, else the one that the data folder keeps, made on the first start.
 *
 * A database of one's own behind a public address is not development, and its secret must not live in a checkout.
 *
 * @throws Problem there, when none is given
 */
export const findSecret = async (task: {
  readonly given: string | null;
  readonly path: string;
  readonly embedded: boolean;
  readonly development: boolean;
}): Promise<string> => {
  if (task.given !== null) return task.given;
  if (!task.embedded && !task.development) {
    throw new Problem(
      'GRANTLOG_SECRET is not set, and DATABASE_URL with a public PUBLIC_URL is not a development set-up.',
      'set GRANTLOG_SECRET to 32 random bytes (openssl rand -base64 32), and keep it: the keys in the database cannot be read without it.',
    );
  }
  const kept = (await unlessMissing(readFile(task.path, 'utf8')))?.trim() ?? '';
  if (kept !== '') return kept;
  const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url');
  await writePrivately(task.path, `${secret}\n`);
  return secret;
};
