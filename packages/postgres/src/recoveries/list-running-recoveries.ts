import type { Database } from '../deliveries/database.ts';
import type { RecoveryKey } from './recovery.ts';

/** Recoveries to go on with, those first that have waited longest. */
export const listRunningRecoveries = async (pool: Database, limit: number): Promise<readonly RecoveryKey[]> => {
  const { rows } = await pool.query<RecoveryKey>({
    name: 'grantlog.running-recoveries',
    text: `select platform, endpoint, id from endpoint_recovery where state = 'running' order by tokens_at limit $1`,
    values: [limit],
  });
  return rows;
};
