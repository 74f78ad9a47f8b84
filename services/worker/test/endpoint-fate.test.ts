import type { TurnAnswer } from '@grantlog/postgres';
import { describe, expect, test } from 'vitest';
import { fateOf } from '../src/webhooks/follow-up.ts';
import { healthAt } from '../src/webhooks/health.ts';
import { deliveryRules as rules } from '../src/webhooks/rules.ts';
import type { Ended } from '../src/webhooks/turn-context.ts';
import { attemptOf, deliveryOf, receiverOf } from './support/stage.ts';

const day = 86_400_000;
const since = Date.UTC(2026, 10, 1);

const ended = (of: Parameters<typeof attemptOf>[1] & { readonly proves?: boolean } = {}): Ended => {
  const delivery = deliveryOf('a', { proves: of.proves ?? false });
  return { delivery, attempt: attemptOf(delivery, of), url: receiverOf().url };
};
const failing = (forMs: number | null): TurnAnswer => ({
  held: true,
  isWanted: false,
  failingSince: forMs === null ? null : since,
  failingForMs: forMs,
});
const fate = (of: {
  readonly ended?: readonly Ended[];
  readonly verified?: boolean;
  readonly hearsAll?: boolean;
  readonly failures?: number;
  readonly failingForMs?: number;
}) =>
  fateOf(rules, {
    ended: of.ended ?? [ended()],
    receiver: receiverOf({ verified: of.verified ?? true, hearsAll: of.hearsAll ?? of.verified ?? true }),
    health: healthAt(of.failures ?? rules.failingAttempts),
    answer: failing(of.failingForMs ?? null),
  });

describe('an endpoint', () => {
  test('goes on while it answers, and while it has not failed for long', () => {
    expect(fate({})).toBeNull();
    expect(fate({ failingForMs: 4 * day - 1 })).toBeNull();
  });

  test('is warned of a day before it is disabled, since when it has failed', () => {
    expect(fate({ failingForMs: 4 * day })).toEqual({ warn: since });
    expect(fate({ failingForMs: 5 * day - 1 })).toEqual({ warn: since });
  });

  test('is disabled once it has only failed for five days', () => {
    expect(fate({ failingForMs: 5 * day })).toEqual({ disable: 'failing' });
  });

  test('is neither warned of nor disabled for a few attempts, however long ago the first one was', () => {
    for (const failures of [0, 1, rules.failingAttempts - 1]) expect(fate({ failingForMs: 50 * day, failures })).toBeNull();
  });

  test('is disabled at once when its receiver is gone or wants no more, also among successes', () => {
    const gone = ended({ outcome: 'gone', state: 'failed', disable: true });
    expect(fate({ ended: [ended(), gone, ended()], failures: 0 })).toEqual({ disable: 'gone' });
    expect(fate({ ended: [ended({ disable: true })], failures: 0 })).toEqual({ disable: 'receiver' });
  });

  test('is disabled as unverified with the last attempt at its proof, not before, and not by anything else', () => {
    const lastOf = (of: { readonly proves: boolean }) => [ended({ ...of, outcome: 'rejected', state: 'failed' })];
    expect(fate({ verified: false, ended: lastOf({ proves: true }) })).toEqual({ disable: 'unverified' });
    expect(fate({ verified: false, ended: [ended({ proves: true, outcome: 'rejected', state: 'pending' })] })).toBeNull();
    expect(fate({ verified: false, ended: lastOf({ proves: false }) })).toBeNull();
    // Asked to verify while it pauses.
    for (const verified of [true, false])
      expect(fate({ verified, hearsAll: false, ended: lastOf({ proves: true }) })).toEqual(verified ? null : { disable: 'unverified' });
    expect(fate({ verified: true, ended: lastOf({ proves: true }) })).toBeNull();
  });
});
