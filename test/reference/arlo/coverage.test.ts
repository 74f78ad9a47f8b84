import { expect, test } from 'vitest';
import { openCoverage } from '../support/coverage.ts';

const coverage = openCoverage(import.meta.dirname);

test('names only tests that exist', () => {
  expect(coverage.rows.length).toBeGreaterThan(115);
  expect(coverage.problems).toEqual([]);
});

test('names every test file of this folder', () => {
  expect(coverage.unnamedFiles()).toEqual([]);
});

test('numbers its rows, each number once', () => {
  expect(coverage.numbers).not.toContain(undefined);
  expect(new Set(coverage.numbers).size).toBe(coverage.numbers.length);
});

test('has four columns in every row, the third of tests alone', () => {
  expect(coverage.misshapen).toEqual([]);
});

test('would find a test, a group or a file that is not there, and a row without a test', () => {
  const row = (seen: string): string => `| 1.1 | what | ${seen} | |`;
  expect(coverage.problemsOf(row('`token.test.ts › may be in the body`'))).toEqual([]);
  expect(coverage.problemsOf(row('`token.test.ts › the credentials of a client › may be in the body`'))).toEqual([]);
  for (const [seen, problem] of [
    ['`token.test.ts › may be in the bodies`', /does not have: may be in the bodies/],
    ['`token.test.ts › the token response, or so › may be in the body`', /a group that token.test.ts does not have/],
    ['`tokens.test.ts › may be in the body`', /tokens.test.ts, which is not there/],
    // A group is no test, and neither is a text that merely stands in the file.
    ['`token.test.ts › PKCE`', /does not have: PKCE/],
    ['`token.test.ts › client_secret`', /does not have: client_secret/],
    ['', /names no test/],
  ] as const)
    expect(coverage.problemsOf(row(seen))).toEqual([expect.stringMatching(problem)]);
});
