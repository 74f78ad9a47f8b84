import type { AttemptOutcome } from '@grantlog/postgres';
import { describe, expect, test } from 'vitest';
import { type Health, healthAfter, healthAt } from '../src/webhooks/health.ts';
import { deliveryRules as rules } from '../src/webhooks/rules.ts';

type Answer = AttemptOutcome | { readonly outcome: AttemptOutcome; readonly pauseMs: number };

const after = (health: Health, ...answers: readonly Answer[]): Health =>
  answers.reduce((sofar, answer) => {
    const of = typeof answer === 'string' ? { outcome: answer, pauseMs: null } : answer;
    return healthAfter(sofar, { ...of, rules });
  }, health);
const times = (count: number, outcome: AttemptOutcome): readonly AttemptOutcome[] => Array.from({ length: count }, () => outcome);
const patience = (pauseMs: number): Answer => ({ outcome: 'rejected', pauseMs });
const { base, most, openAfter } = rules.circuit;

describe('the requests that an endpoint gets at once', () => {
  test('are two at first, one more with each success, and a thousand at most', () => {
    expect(healthAt(0).atOnce).toBe(2);
    expect(after(healthAt(0), 'delivered', 'delivered').atOnce).toBe(4);
    expect(after(healthAt(0), ...times(2_000, 'delivered')).atOnce).toBe(1_000);
  });

  test('are one for an endpoint that failed last, until it answers', () => {
    expect(healthAt(1).atOnce).toBe(1);
    expect(after(healthAt(7), 'delivered').atOnce).toBe(2);
  });

  test('are halved by silence down to one, and stay as they are after a quick refusal', () => {
    const grown = after(healthAt(0), ...times(6, 'delivered'));
    expect(after(grown, 'unreachable').atOnce).toBe(4);
    expect(after(grown, ...times(5, 'unreachable')).atOnce).toBe(1);
    for (const quick of ['rejected', 'refused', 'gone'] as const) expect(after(grown, quick).atOnce).toBe(8);
  });
});

describe('the circuit of an endpoint', () => {
  test('opens with the tenth failure in a row, whichever they are, and not before', () => {
    const nine = after(healthAt(0), ...times(4, 'rejected'), ...times(4, 'unreachable'), 'refused');
    expect(nine).toMatchObject({ consecutiveFailures: 9, openForMs: null });
    expect(after(nine, 'rejected')).toMatchObject({ consecutiveFailures: openAfter, openForMs: base });
  });

  test('stays open for twice as long after each further failure, up to five minutes', () => {
    const opened = (failures: number): number | null => after(healthAt(failures - 1), 'rejected').openForMs;
    expect([10, 11, 12, 13, 14].map(opened)).toEqual([1, 2, 4, 8, 16].map((factor) => factor * base));
    for (const failures of [15, 16, 100, 1_000_000]) expect(opened(failures)).toBe(most);
  });

  test('closes with a success, which ends the row of failures', () => {
    expect(after(healthAt(12), 'rejected', 'delivered')).toMatchObject({ consecutiveFailures: 0, openForMs: null });
    expect(after(healthAt(0), ...times(9, 'rejected'), 'delivered', 'rejected')).toMatchObject({ consecutiveFailures: 1, openForMs: null });
  });

  test('takes no notice of an answer that means one message alone', () => {
    for (const health of [healthAt(0), healthAt(9), after(healthAt(9), 'rejected')]) expect(after(health, 'stopped')).toEqual(health);
  });
});

describe('a receiver that asks for patience', () => {
  test('has everything wait after a single answer, for an hour at most', () => {
    expect(after(healthAt(0), patience(120_000)).openForMs).toBe(120_000);
    expect(after(healthAt(0), patience(rules.longestPauseMs + 1)).openForMs).toBe(rules.longestPauseMs);
  });

  test('never shortens what its failures have earned it', () => {
    expect(after(healthAt(9), patience(1)).openForMs).toBe(base);
    expect(after(healthAt(9), patience(base + 1)).openForMs).toBe(base + 1);
  });

  test('is given it although what was in the air by then ends later, well or badly', () => {
    for (const later of ['delivered', 'rejected', 'unreachable', 'stopped'] as const)
      expect(after(healthAt(0), patience(600_000), later).openForMs).toBe(600_000);
    expect(after(healthAt(0), patience(600_000), patience(1_000)).openForMs).toBe(600_000);
    expect(after(healthAt(0), patience(1_000), patience(600_000)).openForMs).toBe(600_000);
  });
});
