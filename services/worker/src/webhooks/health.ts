import type { AttemptOutcome } from '@grantlog/postgres';
import type { DeliveryRules } from './rules.ts';

/** How an endpoint has answered in the turn that asks, and before. */
export type Health = {
  readonly consecutiveFailures: number;
  /** Requests that it gets at once: few until it has shown that it answers, so that silent ones cannot take every slot. */
  readonly atOnce: number;
  /** Milliseconds for which nothing is sent, from the last answer on; null while sending goes on. */
  readonly openForMs: number | null;
};

const firstAtOnce = 2;

export const healthAt = (consecutiveFailures: number): Health => ({
  consecutiveFailures,
  atOnce: consecutiveFailures > 0 ? 1 : firstAtOnce,
  openForMs: null,
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
  if (outcome === 'delivered') return { consecutiveFailures: 0, atOnce: Math.min(1_000, health.atOnce + 1), openForMs: null };
  // The receiver answered, and meant this one message.
  if (outcome === 'stopped') return health;
  const consecutiveFailures = health.consecutiveFailures + 1;
  const { openAfter, base, most } = rules.circuit;
  const beyond = consecutiveFailures - openAfter;
  const openForMs = beyond < 0 ? null : Math.min(most, base * 2 ** Math.min(20, beyond));
  const pausedFor = pauseMs === null ? null : Math.min(pauseMs, rules.longestPauseMs);
  return {
    consecutiveFailures,
    // A quick refusal holds no slot for long; silence does.
    atOnce: outcome === 'unreachable' ? Math.max(1, Math.floor(health.atOnce / 2)) : health.atOnce,
    openForMs: openForMs === null ? pausedFor : Math.max(openForMs, pausedFor ?? 0),
  };
};
