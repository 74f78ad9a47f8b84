import { constants, type Stats } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Config } from './config.ts';
import { Failure, systemErrorCode } from './failure.ts';

/** What is kept between runs. The ID token is not: it was checked once, and what is not kept cannot leak. */
export type KeptTokens = {
  readonly issuer: string;
  readonly clientId: string;
  readonly scope: string;
  /** Unix seconds, from `expires_in`. For people to read: only the API knows whether a token still counts. */
  readonly expiresAt: number | null;
  readonly accessToken: string;
  /** Null without offline_access. */
  readonly refreshToken: string | null;
};

/** Windows has no such modes; its users' folders are closed to others already. */
const modesMatter = process.platform !== 'win32';

const checkPrivate = (path: string, found: Stats, mend: string): void => {
  if (!modesMatter) return;
  const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
  if ((found.mode & 0o077) !== 0)
    throw new Failure(
      `${path} can be reached by others (mode ${mode}); whoever read it can act as you`,
      `${mend}; if others may have read it, run example revoke and example login`,
    );
  if (found.uid !== process.getuid?.()) throw new Failure(`${path} belongs to another user`, 'choose another file with --tokens');
};

const checkFolder = async (path: string): Promise<void> =>
  checkPrivate(path, await stat(path), `chmod 700 '${path}', or choose a folder of its own with --tokens`);

/** What a header and a form can carry; anything else would be quoted by whoever refuses it. */
const isToken = (value: unknown): value is string => typeof value === 'string' && /^[\x21-\x7e]+$/.test(value);

const parse = (path: string, text: string): KeptTokens => {
  const broken = new Failure(`${path} holds no tokens`, 'move it away and run example login');
  let kept: Partial<Record<keyof KeptTokens, unknown>>;
  try {
    kept = JSON.parse(text) as typeof kept; // each field is judged below
  } catch {
    throw broken; // the parser's own message quotes the text
  }
  const { issuer, clientId, scope, expiresAt, accessToken, refreshToken } = kept ?? {};
  if (typeof issuer !== 'string' || typeof clientId !== 'string' || typeof scope !== 'string') throw broken;
  if (!isToken(accessToken) || !(refreshToken === null || isToken(refreshToken))) throw broken;
  return {
    issuer,
    clientId,
    scope,
    expiresAt: typeof expiresAt === 'number' ? expiresAt : null,
    accessToken,
    refreshToken,
  };
};

/**
 * The kept tokens, or null where there are none.
 *
 * @throws Failure where others can reach the file, or where it belongs to another server or client: a token is sent to
 *   nobody but who issued it.
 */
export const readTokens = async (config: Config): Promise<KeptTokens | null> => {
  const path = config.tokenFile;
  let text: string;
  try {
    // The mode is that of the file which is then read, not of one that a link points at or that has come in its place.
    const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    try {
      checkPrivate(path, await file.stat(), `chmod 600 '${path}'`);
      text = await file.readFile('utf8');
    } finally {
      await file.close();
    }
    await checkFolder(dirname(path));
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return null;
    if (systemErrorCode(error) === 'ELOOP') throw new Failure(`${path} is a link`, 'name the file itself with --tokens');
    throw error;
  }
  const kept = parse(path, text);
  if (kept.issuer !== config.issuer || kept.clientId !== config.clientId)
    throw new Failure(
      `${path} holds the tokens of ${kept.clientId} at ${kept.issuer}, not of ${config.clientId} at ${config.issuer}`,
      'choose another file with --tokens, or revoke those first',
    );
  return kept;
};

const syncFolder = async (path: string): Promise<void> => {
  if (!modesMatter) return;
  const folder = await open(path, 'r');
  await folder.sync().finally(() => folder.close());
};

/** Makes the folder of the tokens, closed to others; one that is there must be closed already. @throws Failure */
export const makeFolder = async (path: string): Promise<void> => {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await checkFolder(path);
};

/** Replaces the file whole: after a power cut it holds the old pair or the new one, and nobody ever reads half of one. */
export const saveTokens = async (path: string, tokens: KeptTokens): Promise<void> => {
  const draft = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(tokens, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
    await syncFolder(dirname(path));
  } finally {
    await rm(draft, { force: true });
  }
};

/** Forgets the tokens. */
export const removeTokens = (path: string): Promise<void> => rm(path, { force: true });
