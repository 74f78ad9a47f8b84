import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import type { TestDatabase } from './test-database.ts';

/** One edit that turns right code into a classic bug. */
export type Plant = { readonly replace: string; readonly by: string };

const plant = (source: string, edits: readonly Plant[]): string =>
  edits.reduce((text, edit) => {
    // A plant that no longer fits would leave the code right, and its test would prove nothing.
    if (text.split(edit.replace).length !== 2) throw new Error(`a planted bug has no single place any more: ${edit.replace}`);
    return text.replace(edit.replace, () => edit.by);
  }, source);

/** Puts a wrong copy of one of the log's functions into this test's own database. */
export const plantInFunction = async (
  database: TestDatabase,
  name: 'append' | 'load' | 'read_feed',
  edits: readonly Plant[],
): Promise<void> => {
  const [row] = await database.asSuperuser<{ source: string }>(
    `select pg_get_functiondef(p.oid) as source from pg_proc p where p.proname = $1 and p.pronamespace = 'grantlog'::regnamespace`,
    [name],
  );
  await database.asSuperuser(plant(row?.source ?? '', edits));
};

/** Imports a wrong copy of a module of this package, everything that it imports being the right one. */
export const plantInModule = async <Module>(path: string, edits: readonly Plant[]): Promise<Module> => {
  const file = new URL(`../../src/${path}`, import.meta.url);
  const source = stripTypeScriptTypes(plant(await readFile(file, 'utf8'), edits));
  const resolved = source
    .replace(/ from '(\.[^']+)'/g, (_, relative: string) => ` from '${new URL(relative, file).href}'`)
    .replace(/ from '(@[^']+)'/g, (_, name: string) => ` from '${import.meta.resolve(name)}'`);
  return (await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(resolved)}`)) as Module;
};

/** What a check finds wrong, in its words; empty when it passes. fast-check keeps the finding as its error's cause. */
export const findingOf = async (check: Promise<unknown>): Promise<string> => {
  try {
    await check;
    return '';
  } catch (error) {
    const words: string[] = [];
    for (let cause = error; cause instanceof Error; cause = cause.cause) words.push(cause.message);
    return words.join('\n');
  }
};
