import { array, assert, double, integer, property } from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { createTokenBucket, type TokenBucket } from '../src/webhooks/token-bucket.ts';

let now: number;
beforeEach(() => {
  now = 1_000;
});

const bucket = (perSecond: number, { left = null, ageMs = 0 }: { readonly left?: number | null; readonly ageMs?: number } = {}) =>
  createTokenBucket({ perSecond, left, ageMs, now: () => now });
const takeAll = (from: TokenBucket): number => {
  let taken = 0;
  while (from.take() === 0) taken += 1;
  return taken;
};

describe('a token bucket', () => {
  test("holds a second's worth at first, and never more", () => {
    const full = bucket(10);
    expect(takeAll(full)).toBe(10);
    now += 3_600_000;
    expect(full.left()).toBe(10);
    expect(takeAll(full)).toBe(10);
  });

  test('says when there will be a token, and there is one then and not before', () => {
    const empty = bucket(4, { left: 0 });
    expect(empty.take()).toBe(250);
    now += 125;
    expect(empty.take()).toBe(125);
    now += 125;
    expect(empty.take()).toBe(0);
    expect(empty.take()).toBe(250);
  });

  test('goes on with what was left, and with what has flowed in since', () => {
    expect(takeAll(bucket(10, { left: 2.5 }))).toBe(2);
    expect(takeAll(bucket(10, { left: 2.5, ageMs: 400 }))).toBe(6);
    expect(takeAll(bucket(10, { left: 2.5, ageMs: 60_000 }))).toBe(10);
  });

  test('takes over no more than it holds, and loses nothing to another clock that is ahead', () => {
    expect(bucket(5, { left: 1_000 }).left()).toBe(5);
    expect(bucket(10, { left: 5, ageMs: -60_000 }).left()).toBe(5);
  });

  test('lets through no more than it held and what flowed in, whenever it is asked', () => {
    assert(
      property(
        integer({ min: 1, max: 100 }),
        array(double({ min: 0, max: 500, noNaN: true }), { minLength: 1, maxLength: 50 }),
        (perSecond, pauses) => {
          now = 0;
          const limited = bucket(perSecond);
          let taken = 0;
          for (const pause of pauses) {
            now += pause;
            taken += takeAll(limited);
          }
          expect(taken).toBeLessThanOrEqual(perSecond + (now / 1_000) * perSecond + 1e-6);
        },
      ),
    );
  });
});
