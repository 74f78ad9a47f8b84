import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..', '..');

/** A test as a row names it: `file › title`, or `file › group › title`. */
type Named = { readonly row: string; readonly file: string; readonly groups: readonly string[]; readonly title: string };

/** A title and the callback behind it: a quoted text as the first argument of a call. */
const literal = String.raw`\s*(['"\x60])((?:\\.|(?!\1).)*)\1\s*,\s*(?:async\s*)?(?:\(|[a-z])`;
/** The titles in a source behind what calls, `before`, a pattern without groups. */
const titlesAfter = (source: string, before: string): readonly string[] =>
  [...source.matchAll(new RegExp(`${before}${literal}`, 'g'))].map(([, , title = '']) => title.replaceAll(/\\(.)/g, '$1'));

const groupsOf = (source: string): ReadonlySet<string> =>
  new Set([...titlesAfter(source, String.raw`\bdescribe\(`), ...titlesAfter(source, String.raw`\bdescribe\.each\([^()]*\)\(`)]);
const testsOf = (source: string): ReadonlySet<string> =>
  new Set([
    ...titlesAfter(source, String.raw`\btest\(`),
    // The rows of a table stand between `test.each(` and the title, which follows the closing of the table.
    ...titlesAfter(source.replaceAll(/\bdescribe\.each\([^()]*\)\(/g, 'describe('), String.raw`\)\(`),
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

const sourceOf = (file: string): string | null => {
  try {
    return readFileSync(file.includes('/') ? join(root, file) : join(import.meta.dirname, file), 'utf8');
  } catch {
    return null;
  }
};

/** What of a table is not so, in words. */
const problemsOf = (text: string): readonly string[] => {
  const named = namedTests(text);
  const empty = rowsOf(text)
    .filter((line) => namedTests(line).length === 0)
    .map((line) => `${line.slice(2).split(' | ')[0]} names no test`);
  return [
    ...empty,
    ...named.flatMap(({ row, file, groups, title }) => {
      const source = sourceOf(file);
      if (source === null) return [`${row} names ${file}, which is not there`];
      const lacking = groups.filter((group) => !groupsOf(source).has(group));
      if (lacking.length > 0) return [`${row} names a group that ${file} does not have: ${lacking.join(', ')}`];
      return testsOf(source).has(title) ? [] : [`${row} names a test that ${file} does not have: ${title}`];
    }),
  ];
};

const table = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8');

test('names only tests that exist', () => {
  expect(rowsOf(table).length).toBeGreaterThan(115);
  expect(problemsOf(table)).toEqual([]);
});

test('names every test file of this folder', () => {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts'));
  const named = new Set(namedTests(table).map(({ file }) => file));
  expect(files.filter((file) => !named.has(file))).toEqual([]);
});

test('numbers its rows, each number once', () => {
  const numbers = rowsOf(table).map((line) => /^\| ([\d.]+) \|/.exec(line)?.[1]);
  expect(numbers).not.toContain(undefined);
  expect(new Set(numbers).size).toBe(numbers.length);
});

test('has four columns in every row, the third of tests alone', () => {
  const misshapen = rowsOf(table).filter((line) => {
    const [, , seen = '', ...rest] = line.replace(/ \|$/, '').slice(2).split(' | ');
    return rest.length > 1 || !/^(`[^`|]+`(<br>|$))+$/.test(seen.replace(/ \|$/, ''));
  });
  expect(misshapen).toEqual([]);
});

test('would find a test, a group or a file that is not there, and a row without a test', () => {
  const row = (seen: string): string => `| 1.1 | what | ${seen} | |`;
  expect(problemsOf(row('`token.test.ts › may be in the body`'))).toEqual([]);
  expect(problemsOf(row('`token.test.ts › the credentials of a client › may be in the body`'))).toEqual([]);
  for (const [seen, problem] of [
    ['`token.test.ts › may be in the bodies`', /does not have: may be in the bodies/],
    ['`token.test.ts › the token response, or so › may be in the body`', /a group that token.test.ts does not have/],
    ['`tokens.test.ts › may be in the body`', /tokens.test.ts, which is not there/],
    // A group is no test, and neither is a text that merely stands in the file.
    ['`token.test.ts › PKCE`', /does not have: PKCE/],
    ['`token.test.ts › client_secret`', /does not have: client_secret/],
    ['', /names no test/],
  ] as const)
    expect(problemsOf(row(seen))).toEqual([expect.stringMatching(problem)]);
});
