const minute = 60_000;
const hour = 60 * minute;

/** Milliseconds from each failed attempt to the next: eight attempts over almost two days. */
export const mailDelays: readonly number[] = [minute, 5 * minute, 30 * minute, 2 * hour, 6 * hour, 12 * hour, 24 * hour];

/**
 * Days after being queued, whether it could be tried or not, a mail is given up: long enough to mend a mail server or find that
 * SMTP_URL is missing (RFC 5321 §4.5.4.1), and no code or link of that age is of use to anybody.
 */
export const mailWaitsDays = 5;

const jitter = 0.1;

/**
 * Milliseconds until the next attempt, or null when there is none any more.
 *
 * @param of.attempt the one that failed, counted from 1.
 * @param of.random from 0 up to 1: the schedule is spread by ±10 %, so that a crowd does not come back at once.
 */
export const nextMailIn = (of: { readonly attempt: number; readonly random: number }): number | null => {
  const delay = mailDelays[of.attempt - 1];
  return delay === undefined ? null : Math.round(delay * (1 - jitter + 2 * jitter * of.random));
};
