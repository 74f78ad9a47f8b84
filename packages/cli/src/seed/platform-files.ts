import { readFile } from 'node:fs/promises';
import type { PlatformDocument } from '@grantlog/domain';
import { parsePlatformDocument } from '@grantlog/domain';

const folder = new URL('../../../../infra/platforms/', import.meta.url);

/** A platform file does not say a platform; lists everything that is wrong with it. */
class PlatformFileBroken extends Error {
  override readonly name = 'PlatformFileBroken';
}

/**
 * Reads a platform's document from `infra/platforms/`. `{issuer}` in the file stands for the issuer that the platform
 * has under this `PUBLIC_URL`, so that its resources move with it, and `{examples}` for where the example resources run.
 *
 * @throws PlatformFileBroken
 */
export const readPlatformFile = async (
  name: string,
  at: { readonly publicUrl: string; readonly examplesUrl?: string },
): Promise<PlatformDocument> => {
  const text = await readFile(new URL(`${name}.json`, folder), 'utf8');
  const parsed = parsePlatformDocument(
    JSON.parse(text.replaceAll('{issuer}', `${at.publicUrl}/${name}`).replaceAll('{examples}', at.examplesUrl ?? '{examples}')),
  );
  if (parsed.ok) return parsed.document;
  const problems = parsed.problems.map((problem) => `  ${problem.path || name}: ${problem.problem}. ${problem.fix}`);
  throw new PlatformFileBroken(`infra/platforms/${name}.json is no platform document:\n${problems.join('\n')}`);
};
