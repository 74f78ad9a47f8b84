import { expect, test } from 'vitest';
import { openCoverage } from '../support/coverage.ts';

const coverage = openCoverage(import.meta.dirname);

test('names only tests that exist', () => {
  expect(coverage.rows.length).toBeGreaterThan(40);
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
