import { retryDelays } from './retry-schedule.ts';

const second = 1_000;
const day = 86_400 * second;

/** The numbers of the delivery; milliseconds. */
export type DeliveryRules = {
  /** How long a turn stands without another word: a killed worker silences an endpoint by this much, and a sweep. */
  readonly holdMs: number;
  /** How often a turn that has nothing else to say holds on. */
  readonly renewMs: number;
  /** How often a turn with slots to spare asks whether its endpoint was woken in another process. */
  readonly askMs: number;
  /** For how long outcomes are offered to a database that does not answer. */
  readonly recordMs: number;
  /** After this long a turn ends and is queued up for again, so that workers that came later get their share. */
  readonly turnMs: number;
  /** Deliveries taken at once. */
  readonly takeLimit: number;
  /** From each failed attempt to the next. */
  readonly retryDelays: readonly number[];
  /** Consecutive failures that open the circuit, and for how long: doubling from `base` up to `most`. */
  readonly circuit: { readonly openAfter: number; readonly base: number; readonly most: number };
  /** The longest that a receiver can have everything of its endpoint wait, by `Retry-After` with 429 or 503. */
  readonly longestPauseMs: number;
  /** An endpoint that has only failed for this long is disabled, and one day before that it is warned of. */
  readonly failingMs: number;
  readonly warnBeforeMs: number;
  /** But not before so many attempts: a single event five days ago proves little. */
  readonly failingAttempts: number;
};

export const deliveryRules: DeliveryRules = {
  holdMs: 6 * second,
  renewMs: 2 * second,
  askMs: 250,
  recordMs: 10 * second,
  turnMs: 60 * second,
  takeLimit: 64,
  retryDelays,
  circuit: { openAfter: 10, base: 15 * second, most: 300 * second },
  longestPauseMs: 3_600 * second,
  failingMs: 5 * day,
  warnBeforeMs: day,
  failingAttempts: 10,
};
