import type { Transaction } from '../deliveries/database.ts';
import type { RecoveryKey } from './recovery.ts';

/** Notes how far a recovery has come, in the transaction that has taken it. */
export const advanceRecovery = async (
  client: Transaction,
  step: RecoveryKey & {
    readonly state: 'running' | 'done' | 'cancelled';
    readonly position: number;
    readonly ordinal: number;
    readonly examined: number;
    readonly again: number;
    /** What is left of those that it was taken with. */
    readonly tokens: number;
  },
): Promise<void> => {
  await client.query({
    name: 'grantlog.advance-recovery',
    text: `update endpoint_recovery set state = $4, position = $5, ordinal = $6, examined = examined + $7, again = again + $8, tokens = $9,
        tokens_at = clock_timestamp(), finished_at = case when $4::text <> 'running' then now() end
      where platform = $1 and endpoint = $2 and id = $3`,
    values: [step.platform, step.endpoint, step.id, step.state, step.position, step.ordinal, step.examined, step.again, step.tokens],
  });
};
