import type { Database } from '../deliveries/database.ts';
import type { RecoveryKey } from './recovery.ts';

/** Recoveries to go on with, those first that have waited longest; none whose endpoint has yet to prove its URL. */
export const listRunningRecoveries = async (pool: Database, limit: number): Promise<readonly RecoveryKey[]> => {
  const { rows } = await pool.query<RecoveryKey>({
    name: 'grantlog.running-recoveries',
    text: `select platform, endpoint, id from endpoint_recovery y
      where state = 'running' and not exists (
        select 1 from endpoint_route r where r.platform = y.platform and r.endpoint = y.endpoint and r.status = 'active' and not r.proven)
      order by tokens_at limit $1`,
    values: [limit],
  });
  return rows;
};
