import type { Transaction } from '../deliveries/database.ts';
import type { Recovery, RecoveryKey } from './recovery.ts';

/** Begins a recovery; one that was begun before stays as it is. */
export const insertRecovery = async (
  client: Transaction,
  recovery: RecoveryKey &
    Pick<Recovery, 'from' | 'through' | 'ratePerSecond' | 'includeDelivered'> & {
      /** Milliseconds since the epoch. */
      readonly requestedAt: number;
    },
): Promise<void> => {
  await client.query({
    name: 'grantlog.insert-recovery',
    // No message of a position has as great an ordinal.
    text: `insert into endpoint_recovery
        (platform, endpoint, id, first_position, last_position, position, ordinal, rate, include_delivered, tokens, requested_at)
      values ($1, $2, $3, $4::bigint, $5, $4::bigint - 1, 2147483647, $6::int, $7, $6::int, to_timestamp($8::float8 / 1000))
      on conflict do nothing`,
    values: [
      recovery.platform,
      recovery.endpoint,
      recovery.id,
      recovery.from,
      recovery.through,
      recovery.ratePerSecond,
      recovery.includeDelivered,
      recovery.requestedAt,
    ],
  });
};
