import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..', '..');

/** A test as a row names it: `file › title`, or `file › group › title`. */
type Named = { readonly row: string; readonly file: string; readonly groups: readonly string[]; readonly title: string };

/** A title and the callback behind it: a quoted text as the first argument of a call. */
const literal = String.raw`\s*(['"\x60])((?:\\.|(?!\1).)*)\1\s*,\s*(?:async\s*)?(?:\(|[a-z])`;
/** The titles in a source behind what calls, `before`, a pattern without groups. */
const titlesAfter = (source: string, before: string): readonly string[] =>
  [...source.matchAll(new RegExp(`${before}${literal}`, 'g'))].map(([, , title = '']) => title.replaceAll(/\\(.)/g, '$1'));

const groupsOf = (source: string): ReadonlySet<string> =>
  new Set([
    ...titlesAfter(source, String.raw`\bdescribe(?:\.skipIf\([^()]*\))?\(`),
    ...titlesAfter(source, String.raw`\bdescribe\.each\([^()]*\)\(`),
  ]);
const testsOf = (source: string): ReadonlySet<string> =>
  new Set([
    ...titlesAfter(source, String.raw`\btest\(`),
    // The rows of a table stand between `test.each(` and the title, which follows the closing of the table.
    ...titlesAfter(source.replaceAll(/\bdescribe\.(?:each|skipIf)\([^()]*\)\(/g, 'describe('), String.raw`\)\(`),
  ]);

const rowsOf = (text: string): readonly string[] => text.split('\n').filter((line) => /^\| \d/.test(line));

/** Every test that the rows of a table name, in their third column. */
const namedTests = (text: string): readonly Named[] =>
  rowsOf(text).flatMap((line) => {
    const [row = '', , seen = ''] = line.slice(2).split(' | ');
    return [...seen.matchAll(/`([^`]+)`/g)].map(([, name = '']) => {
      const [file = '', ...path] = name.split(' › ');
      return { row, file, groups: path.slice(0, -1), title: path.at(-1) ?? '' };
    });
  });

/**
 * The coverage table of a document: `README.md` in a folder of tests, four columns of which the third names the tests that
 * fail when what the second says no longer holds. Files without a folder are in that folder, all others begin at the root.
 */
export const openCoverage = (folder: string) => {
  const table = readFileSync(join(folder, 'README.md'), 'utf8');

  const sourceOf = (file: string): string | null => {
    try {
      return readFileSync(file.includes('/') ? join(root, file) : join(folder, file), 'utf8');
    } catch {
      return null;
    }
  };

  /** What of a table is not so, in words. */
  const problemsOf = (text: string): readonly string[] => [
    ...rowsOf(text)
      .filter((line) => namedTests(line).length === 0)
      .map((line) => `${line.slice(2).split(' | ')[0]} names no test`),
    ...namedTests(text).flatMap(({ row, file, groups, title }) => {
      const source = sourceOf(file);
      if (source === null) return [`${row} names ${file}, which is not there`];
      const lacking = groups.filter((group) => !groupsOf(source).has(group));
      if (lacking.length > 0) return [`${row} names a group that ${file} does not have: ${lacking.join(', ')}`];
      return testsOf(source).has(title) ? [] : [`${row} names a test that ${file} does not have: ${title}`];
    }),
  ];

  const rows = rowsOf(table);
  return {
    rows,
    problemsOf,
    problems: problemsOf(table),
    /** Test files of the folder that no row names. */
    unnamedFiles: (): readonly string[] => {
      const named = new Set(namedTests(table).map(({ file }) => file));
      return readdirSync(folder).filter((name) => name.endsWith('.test.ts') && !named.has(name));
    },
    /** The number of each row; undefined where one has none. */
    numbers: rows.map((line) => /^\| ([\d.]+) \|/.exec(line)?.[1]),
    /** Rows that have not four columns, or something else than tests in their third. */
    misshapen: rows.filter((line) => {
      const [, , seen = '', ...rest] = line.replace(/ \|$/, '').slice(2).split(' | ');
      return rest.length > 1 || !/^(`[^`|]+`(<br>|$))+$/.test(seen.replace(/ \|$/, ''));
    }),
  };
};
