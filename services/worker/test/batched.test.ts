import { describe, expect, test } from 'vitest';
import { batched } from '../src/batched.ts';

type Call = { readonly items: readonly number[]; readonly answer: () => void; readonly fail: (error: unknown) => void };

/** Questions about numbers, answered with their doubles whenever the test says so. */
const openCalls = (options: { readonly limit: number; readonly parallel?: number }) => {
  const calls: Call[] = [];
  const ask = batched({
    ...options,
    call: (items: readonly number[]) =>
      new Promise<readonly number[]>((resolve, reject) => {
        calls.push({ items, answer: () => resolve(items.map((item) => 2 * item)), fail: reject });
      }),
  });
  return { calls, ask, asked: () => calls.map(({ items }) => items) };
};
const aLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('questions that are asked together', () => {
  test('travel together, and each gets its own answer', async () => {
    const { ask, calls, asked } = openCalls({ limit: 10 });
    const answers = Promise.all([ask(1), ask(2), ask(3)]);
    await aLoop();
    expect(asked()).toEqual([[1, 2, 3]]);
    calls[0]?.answer();
    expect(await answers).toEqual([2, 4, 6]);
  });

  test('never join a call that has begun, and go with the next one', async () => {
    const { ask, calls, asked } = openCalls({ limit: 10 });
    const first = ask(1);
    await aLoop();
    const others = [ask(2), ask(3)];
    await aLoop();
    expect(asked()).toEqual([[1]]);
    calls[0]?.answer();
    expect(await first).toBe(2);
    await aLoop();
    expect(asked()).toEqual([[1], [2, 3]]);
    calls[1]?.answer();
    expect(await Promise.all(others)).toEqual([4, 6]);
  });

  test('go in as many calls as the limit asks for, one after the other', async () => {
    const { ask, calls, asked } = openCalls({ limit: 2 });
    const answers = Promise.all([1, 2, 3, 4, 5].map(ask));
    for (const size of [2, 2, 1]) {
      await aLoop();
      expect(asked().at(-1)).toHaveLength(size);
      calls.at(-1)?.answer();
    }
    expect(await answers).toEqual([2, 4, 6, 8, 10]);
    expect(calls).toHaveLength(3);
  });

  test('fail together, and no other with them', async () => {
    const { ask, calls } = openCalls({ limit: 2 });
    const [one, two, three] = [1, 2, 3].map((item) => ask(item).catch((error: Error) => error.message));
    await aLoop();
    calls[0]?.fail(new Error('no'));
    expect(await Promise.all([one, two])).toEqual(['no', 'no']);
    await aLoop();
    calls[1]?.answer();
    expect(await three).toBe(6);
  });

  test('have as many calls under way at once as are allowed, and none waits for ever', async () => {
    const { ask, calls, asked } = openCalls({ limit: 1, parallel: 2 });
    const answers: Promise<number>[] = [];
    for (const item of [1, 2, 3]) {
      answers.push(ask(item));
      await aLoop();
    }
    expect(asked()).toEqual([[1], [2]]);
    calls[1]?.answer();
    await answers[1];
    await aLoop();
    expect(asked()).toEqual([[1], [2], [3]]);
    calls[2]?.answer();
    calls[0]?.answer();
    expect(await Promise.all(answers)).toEqual([2, 4, 6]);
    const later = ask(4);
    await aLoop();
    calls[3]?.answer();
    expect(await later).toBe(8);
  });
});
