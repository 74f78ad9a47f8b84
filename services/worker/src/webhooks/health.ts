import type { AttemptOutcome } from '@grantlog/postgres';
import type { DeliveryRules } from './rules.ts';

/** How an endpoint has answered in the turn that asks, and before. */
export type Health = {
  readonly consecutiveFailures: number;
  /** Requests that it gets at once: few until it has shown that it answers, so that silent ones cannot take every slot. */
  readonly atOnce: number;
  /** Milliseconds for which nothing is sent, from the last answer on; null while sending goes on. */
  readonly openForMs: number | null;
  /** What the receiver asked for in this turn: what was in the air by then and ends later does not take it back. */
  readonly pausedForMs: number | null;
};

const firstAtOnce = 2;

export const healthAt = (consecutiveFailures: number): Health => ({
  consecutiveFailures,
  atOnce: consecutiveFailures > 0 ? 1 : firstAtOnce,
  openForMs: null,
  pausedForMs: null,
});

/** @param of.pauseMs what the receiver asked for by `Retry-After`; null where it did not. */
export const healthAfter = (
  health: Health,
  of: {
    readonly outcome: AttemptOutcome;
    readonly pauseMs: number | null;
    readonly rules: Pick<DeliveryRules, 'circuit' | 'longestPauseMs'>;
  },
): Health => {
  const { outcome, pauseMs, rules } = of;
  if (outcome === 'delivered') {
    const { atOnce, pausedForMs } = health;
    return { consecutiveFailures: 0, atOnce: Math.min(1_000, atOnce + 1), openForMs: pausedForMs, pausedForMs };
  }
  // The receiver answered, and meant this one message.
  if (outcome === 'stopped') return health;
  const consecutiveFailures = health.consecutiveFailures + 1;
  const { openAfter, base, most } = rules.circuit;
  const beyond = consecutiveFailures - openAfter;
  const openForMs = beyond < 0 ? null : Math.min(most, base * 2 ** Math.min(20, beyond));
  const asked = Math.max(health.pausedForMs ?? 0, Math.min(pauseMs ?? 0, rules.longestPauseMs));
  const pausedForMs = asked === 0 ? null : asked;
  return {
    consecutiveFailures,
    // A quick refusal holds no slot for long; silence does.
    atOnce: outcome === 'unreachable' ? Math.max(1, Math.floor(health.atOnce / 2)) : health.atOnce,
    openForMs: openForMs === null ? pausedForMs : Math.max(openForMs, asked),
    pausedForMs,
  };
};
