import type { Transaction } from '../deliveries/database.ts';
import type { RecoveryKey } from './recovery.ts';

/** Where a recovery stands, in the hands of this transaction alone. */
export type TakenRecovery = RecoveryKey & {
  readonly through: number;
  readonly position: number;
  readonly ordinal: number;
  readonly includeDelivered: boolean;
  /** Deliveries that it may make due now. */
  readonly tokens: number;
};

/** Takes a recovery that runs; null where another worker has it, or it runs no more. */
export const takeRecovery = async (client: Transaction, { platform, endpoint, id }: RecoveryKey): Promise<TakenRecovery | null> => {
  const { rows } = await client.query<Omit<TakenRecovery, keyof RecoveryKey>>({
    name: 'grantlog.take-recovery',
    text: `select last_position as through, position, ordinal, include_delivered as "includeDelivered",
        least(rate, tokens + rate * greatest(0, extract(epoch from clock_timestamp() - tokens_at)))::float8 as tokens
      from endpoint_recovery where platform = $1 and endpoint = $2 and id = $3 and state = 'running'
      for update skip locked`,
    values: [platform, endpoint, id],
  });
  const [taken] = rows;
  return taken === undefined ? null : { platform, endpoint, id, ...taken };
};
