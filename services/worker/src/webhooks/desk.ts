import { type Database, recordAttempts, type Take, type Taken, type TurnAnswer, type TurnReport, takeDeliveries } from '@grantlog/postgres';
import { batched } from '../batched.ts';
import { insist } from './insist.ts';
import type { DeliveryRules } from './rules.ts';

/** Where the turns of one process take deliveries and report what became of them: many endpoints, few statements. */
export type Desk = {
  /** Null where the turn is somebody else's. */
  readonly take: (take: Take) => Promise<Taken | null>;
  /** Null where the turn has passed to somebody else, and nothing was recorded. */
  readonly report: (report: TurnReport) => Promise<TurnAnswer | null>;
};

/** @param options.worker the process's own id, another one at each start. */
export const createDesk = (options: {
  readonly pool: Database;
  readonly worker: string;
  readonly rules: Pick<DeliveryRules, 'holdMs' | 'recordMs'>;
}): Desk => {
  const { pool, worker, rules } = options;
  const { holdMs } = rules;
  return {
    take: batched({ limit: 128, call: (takes: readonly Take[]) => takeDeliveries(pool, { worker, holdMs, takes }) }),
    report: batched({
      limit: 128,
      call: (reports: readonly TurnReport[]) =>
        // Asking again is safe; without it a short outage of the database would send all of these a second time.
        insist(() => recordAttempts(pool, { worker, holdMs, reports }), { forMs: rules.recordMs }),
    }),
  };
};
