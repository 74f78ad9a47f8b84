import type { Transaction } from '../deliveries/database.ts';
import type { EndpointKey } from '../deliveries/delivery.ts';

/** Ends what runs of an endpoint's recoveries. What it has made due stays due. */
export const cancelRecoveries = async (client: Transaction, { platform, endpoint }: EndpointKey): Promise<void> => {
  await client.query({
    name: 'grantlog.cancel-recoveries',
    text: `update endpoint_recovery set state = 'cancelled', finished_at = now() where platform = $1 and endpoint = $2 and state = 'running'`,
    values: [platform, endpoint],
  });
};
