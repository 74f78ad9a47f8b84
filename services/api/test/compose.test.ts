import { expect, test } from 'vitest';
import { passwordConcurrency } from '../src/compose.ts';

test.each([
  [1, 1],
  [2, 1],
  [3, 2],
  [4, 3],
  [5, 3],
  [64, 3],
])('on %i cores, %i passwords are hashed at once: never a whole thread pool', (cores, concurrency) => {
  expect(passwordConcurrency(cores)).toBe(concurrency);
});
