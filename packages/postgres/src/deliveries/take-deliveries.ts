import type { Database } from './database.ts';
import type { EndpointKey, Lane } from './delivery.ts';

/** What one endpoint is asked for, by a worker that begins its turn or goes on with it. */
export type Take = EndpointKey & {
  /** The turn's fence; 0 begins a turn. */
  readonly epoch: number;
  /** Deliveries wanted at most. */
  readonly room: number;
};

/** A delivery in the hands of this turn alone, until it is recorded or the turn is over. */
export type TakenDelivery = {
  /** The message's. */
  readonly id: string;
  readonly lane: Lane;
  /** Whether its success proves the endpoint's URL. */
  readonly proves: boolean;
  /** Attempts before this one. */
  readonly attempt: number;
  /** Those of them that failed. */
  readonly failures: number;
};

export type Taken = {
  readonly epoch: number;
  /** Whether the endpoint's circuit is open: nothing is handed out. */
  readonly isOpen: boolean;
  readonly consecutiveFailures: number;
  /** What was left in the token bucket, and how many milliseconds ago; null where nobody has noted it. */
  readonly tokens: number | null;
  readonly tokensAgeMs: number | null;
  /** Attempts of a former turn that were recorded as lost just now. */
  readonly lost: number;
  readonly deliveries: readonly TakenDelivery[];
};

type Row = Omit<Taken, 'deliveries'> & Omit<TakenDelivery, 'id'> & { readonly place: number; readonly id: string | null };

/**
 * Takes or keeps the turns of endpoints and hands out what is due, revocations first, in one statement for all of them: in
 * order where an endpoint asks for it, and nothing but what proves its URL until that is proved, as the dispatcher has it.
 * The answer for an endpoint whose turn is somebody else's is null.
 *
 * @param options.holdMs how long a turn stands without another word: a worker that is killed silences an endpoint this long.
 */
export const takeDeliveries = async (
  pool: Database,
  options: { readonly worker: string; readonly holdMs: number; readonly takes: readonly Take[] },
): Promise<readonly (Taken | null)[]> => {
  const { worker, holdMs, takes } = options;
  const { rows } = await pool.query<Row>({
    name: 'grantlog.take-deliveries',
    text: `select place, epoch, is_open as "isOpen", consecutive_failures as "consecutiveFailures", tokens, tokens_age_ms as "tokensAgeMs",
        lost, id, lane, proves, attempt, failures
      from take_deliveries($1, $2, $3, $4, $5, $6)`,
    values: [
      worker,
      holdMs,
      takes.map((take) => take.platform),
      takes.map((take) => take.endpoint),
      takes.map((take) => take.epoch),
      takes.map((take) => take.room),
    ],
  });
  const answers: (Omit<Taken, 'deliveries'> & { readonly deliveries: TakenDelivery[] })[] = [];
  for (const { place, epoch, isOpen, consecutiveFailures, tokens, tokensAgeMs, lost, id, ...delivery } of rows) {
    answers[place - 1] ??= { epoch, isOpen, consecutiveFailures, tokens, tokensAgeMs, lost, deliveries: [] };
    if (id !== null) answers[place - 1]?.deliveries.push({ id, ...delivery });
  }
  return takes.map((_, index) => answers[index] ?? null);
};
