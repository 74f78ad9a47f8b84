import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../../recovery/log/random.ts';

/** Something that is asked many times, each time about something else. */
export type Question = {
  readonly name: string;
  readonly ask: (random: Random) => Promise<unknown>;
};

/** Milliseconds. */
export type Times = { readonly p50: number; readonly p95: number; readonly max: number };

/** Milliseconds within which 95 of 100 answers have to come. */
export const bound = 50;

/** How long answers take, one after another, when the first ones have warmed the caches. */
export const timesOf = async ({ ask }: Question, of: { readonly random: Random; readonly runs: number }): Promise<Times> => {
  const { random, runs } = of;
  for (let n = 0; n < Math.ceil(runs / 5); n += 1) await ask(random);
  const times: number[] = [];
  for (let n = 0; n < runs; n += 1) {
    const began = performance.now();
    await ask(random);
    times.push(performance.now() - began);
    if (n % 50 === 0) await pause(0);
  }
  times.sort((a, b) => a - b);
  const at = (part: number): number => times[Math.min(times.length - 1, Math.floor(part * times.length))] ?? Number.NaN;
  return { p50: at(0.5), p95: at(0.95), max: at(1) };
};
