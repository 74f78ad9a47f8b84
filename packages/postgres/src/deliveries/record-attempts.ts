import type { Database } from './database.ts';
import type { DeliveryState, EndpointKey } from './delivery.ts';

export type AttemptOutcome = 'delivered' | 'rejected' | 'gone' | 'stopped' | 'unreachable' | 'refused';

/** How one attempt ended and what becomes of its delivery. */
export type AttemptRecord = {
  readonly id: string;
  readonly outcome: AttemptOutcome;
  readonly status: number | null;
  /** Fixed text for the endpoint's owner: no address, nothing the receiver wrote. */
  readonly detail: string;
  /** Milliseconds since the epoch. */
  readonly beganAt: number;
  readonly durationMs: number | null;
  /** The beginning of what the receiver answered; null where it answered nothing. */
  readonly response: string | null;
  readonly state: Extract<DeliveryState, 'pending' | 'delivered' | 'failed' | 'stopped'>;
  /** Milliseconds from now to the next attempt; null when this was the last. */
  readonly retryInMs: number | null;
};

/** How an endpoint answers after these attempts. */
export type HealthChange = {
  readonly anySuccess: boolean;
  readonly consecutiveFailures: number;
  /** Milliseconds for which nothing is sent; null for a closed circuit. */
  readonly openForMs: number | null;
};

/** What a worker has to say about the turn of one endpoint. */
export type TurnReport = EndpointKey & {
  readonly epoch: number;
  readonly attempts: readonly AttemptRecord[];
  /** Null where no attempt ended. */
  readonly health: HealthChange | null;
  /** What is left in the token bucket now; null where the endpoint has none. */
  readonly tokens: number | null;
  /** `asks`: ends the turn unless something is due or somebody woke the endpoint elsewhere. `leaves`: ends it in any case. */
  readonly end: 'stays' | 'asks' | 'leaves';
};

export type TurnAnswer = {
  /** Whether the turn goes on. */
  readonly held: boolean;
  /** Whether the endpoint was woken in another process. */
  readonly isWanted: boolean;
  /** Since when the endpoint has only failed; null while its last answer was a success. */
  readonly failingSince: number | null;
  readonly failingForMs: number | null;
};

const ends = { stays: 0, asks: 1, leaves: 2 } satisfies Record<TurnReport['end'], number>;

type Row = TurnAnswer & { readonly place: number };

/**
 * Records what became of the deliveries in the hands of turns, and goes on with each turn or ends it: one statement for all
 * of them. The answer is null where the turn has passed to somebody else: then nothing was recorded. Asking again is safe.
 */
export const recordAttempts = async (
  pool: Database,
  options: { readonly worker: string; readonly holdMs: number; readonly reports: readonly TurnReport[] },
): Promise<readonly (TurnAnswer | null)[]> => {
  const { worker, holdMs, reports } = options;
  let counted = 0;
  const parts = reports.map((report) => {
    const first = counted + 1;
    counted += report.attempts.length;
    return report.attempts.length === 0 ? { first: null, last: null } : { first, last: counted };
  });
  const attempts = reports.flatMap((report, index) => report.attempts.map((attempt) => ({ ...attempt, place: index + 1 })));
  const { rows } = await pool.query<Row>({
    name: 'grantlog.record-attempts',
    text: `select place, held, is_wanted as "isWanted", failing_since_ms as "failingSince", failing_for_ms as "failingForMs"
      from record_attempts($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)`,
    values: [
      worker,
      holdMs,
      reports.map((report) => report.platform),
      reports.map((report) => report.endpoint),
      reports.map((report) => report.epoch),
      reports.map((report) => ends[report.end]),
      reports.map((report) => report.tokens),
      reports.map((report) => report.health?.anySuccess ?? false),
      reports.map((report) => report.health?.consecutiveFailures ?? null),
      reports.map((report) => report.health?.openForMs ?? null),
      parts.map((part) => part.first),
      parts.map((part) => part.last),
      attempts.map((attempt) => attempt.place),
      attempts.map((attempt) => attempt.id),
      attempts.map((attempt) => attempt.outcome),
      attempts.map((attempt) => attempt.status),
      attempts.map((attempt) => attempt.detail),
      attempts.map((attempt) => attempt.beganAt),
      attempts.map((attempt) => attempt.durationMs),
      attempts.map((attempt) => attempt.response),
      attempts.map((attempt) => attempt.state),
      attempts.map((attempt) => attempt.retryInMs),
    ],
  });
  const answers = new Map(rows.map(({ place, ...answer }) => [place, answer]));
  return reports.map((_, index) => answers.get(index + 1) ?? null);
};
