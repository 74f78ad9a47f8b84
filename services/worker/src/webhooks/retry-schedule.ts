const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** Milliseconds from each failed attempt to the next, where nothing else is configured: ten attempts over 75 hours and 35 minutes. */
export const retryDelays: readonly number[] = [
  5 * second,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
];

/**
 * The same for an endpoint whose URL nobody has proved: anybody can register one that belongs to somebody else, who is not
 * to be called for days.
 */
const proofDelays: readonly number[] = [5 * second, minute, 10 * minute, hour, 6 * hour];

const jitter = 0.1;
const longestRetryAfter = 24 * hour;

/** `Retry-After` as milliseconds from now, or null when there is none that makes sense. @see RFC 9110 §10.2.3 */
export const parseRetryAfter = (header: string | undefined, now: number): number | null => {
  if (header === undefined) return null;
  const text = header.trim();
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * second : Date.parse(text) - now;
  return Number.isFinite(ms) && ms > 0 ? ms : null;
};

/**
 * Milliseconds until the next attempt, or null when there is none any more.
 *
 * @param of.failures attempts that have failed, this one included; at least 1.
 * @param of.retryAfterMs what the receiver asked for: never sooner, but at most a day.
 * @param of.delays milliseconds between attempts; default {@link retryDelays}.
 * @param of.isVerified whether the endpoint's URL is proved.
 * @param of.random from 0 up to 1: the schedule is spread by ±10 %, so that a crowd does not come back at once.
 */
export const nextAttemptIn = (of: {
  readonly failures: number;
  readonly retryAfterMs: number | null;
  readonly random: number;
  readonly delays?: readonly number[];
  readonly isVerified?: boolean;
}): number | null => {
  const delay = (of.isVerified === false ? proofDelays : (of.delays ?? retryDelays))[of.failures - 1];
  if (delay === undefined) return null;
  const spread = delay * (1 - jitter + 2 * jitter * of.random);
  return Math.round(Math.max(spread, Math.min(of.retryAfterMs ?? 0, longestRetryAfter)));
};
