import type { Database } from '../deliveries/database.ts';
import type { EndpointKey } from '../deliveries/delivery.ts';
import type { Recovery } from './recovery.ts';

/** The latest recoveries of an endpoint, newest first. */
export const listRecoveries = async (
  pool: Database,
  { platform, endpoint, limit }: EndpointKey & { readonly limit: number },
): Promise<readonly Recovery[]> => {
  const { rows } = await pool.query<Recovery>({
    name: 'grantlog.list-recoveries',
    text: `select id, state, first_position as "from", last_position as through, position, rate as "ratePerSecond",
        include_delivered as "includeDelivered", examined, again, requested_at as "requestedAt", finished_at as "finishedAt"
      from endpoint_recovery where platform = $1 and endpoint = $2 order by id desc limit $3`,
    values: [platform, endpoint, limit],
  });
  return rows;
};
