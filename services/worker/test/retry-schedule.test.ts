import { assert, constant, double, integer, oneof, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextAttemptIn, parseRetryAfter, retryDelays } from '../src/webhooks/retry-schedule.ts';

const day = 86_400_000;

describe('the retry schedule', () => {
  test('is the one of Standard Webhooks: ten attempts over 75 hours, 35 minutes and 5 seconds', () => {
    expect(retryDelays).toHaveLength(9);
    expect(retryDelays.reduce((sum, delay) => sum + delay, 0)).toBe((75 * 3_600 + 35 * 60 + 5) * 1_000);
    expect(nextAttemptIn({ failures: 1, retryAfterMs: null, random: 0.5 })).toBe(5_000);
    expect(nextAttemptIn({ failures: 10, retryAfterMs: null, random: 0.5 })).toBeNull();
  });

  test('spreads by a tenth either way and never comes sooner than the receiver asks, up to a day', () => {
    assert(
      property(
        integer({ min: 1, max: 9 }),
        double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        oneof(constant(null), integer({ min: 1, max: 3 * day })),
        (failures, random, retryAfterMs) => {
          const delay = nextAttemptIn({ failures, random, retryAfterMs }) ?? 0;
          const base = retryDelays[failures - 1] ?? 0;
          const asked = Math.min(retryAfterMs ?? 0, day);
          expect(delay).toBeGreaterThanOrEqual(Math.max(Math.floor(base * 0.9), asked));
          expect(delay).toBeLessThanOrEqual(Math.max(Math.ceil(base * 1.1), asked));
        },
      ),
    );
  });

  test('reads Retry-After as seconds or as a date, and ignores what is neither', () => {
    const now = Date.UTC(2026, 10, 21, 10, 0, 0);
    expect(parseRetryAfter('120', now)).toBe(120_000);
    expect(parseRetryAfter('Sat, 21 Nov 2026 10:01:00 GMT', now)).toBe(60_000);
    for (const header of [undefined, '', '0', '-5', 'soon', '1e9', 'Sat, 21 Nov 2026 09:00:00 GMT'])
      expect(parseRetryAfter(header, now)).toBeNull();
  });
});
