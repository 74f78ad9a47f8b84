import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessMissing } from '../problem.ts';
import type { StatePaths } from './state-directory.ts';

/** Who issued the tokens of the sample client; null where the file does not say. */
const issuerIn = (text: string): string | null => {
  try {
    const issuer: unknown = Reflect.get(Object(JSON.parse(text)), 'issuer');
    return typeof issuer === 'string' && URL.canParse(issuer) ? issuer : null;
  } catch {
    return null;
  }
};

/**
 * Removes what the sample client (`test/example-clients`) keeps beside our data, unless its tokens are another server's: those
 * still count there, and whoever loses them can no longer revoke them.
 *
 * @param origins where our own server was reached.
 * @returns the issuer whose tokens were left, or null.
 */
export const removeSampleTokens = async (paths: Pick<StatePaths, 'sampleClient'>, origins: readonly string[]): Promise<string | null> => {
  const text = await unlessMissing(readFile(join(paths.sampleClient, 'tokens.json'), 'utf8'));
  const issuer = text === null ? null : issuerIn(text);
  if (issuer !== null && !origins.includes(new URL(issuer).origin)) return issuer;
  await rm(paths.sampleClient, { recursive: true, force: true });
  return null;
};
