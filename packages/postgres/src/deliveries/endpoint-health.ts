import type { Database, Transaction } from './database.ts';
import type { EndpointKey } from './delivery.ts';

/** Forgets how an endpoint answered: somebody enabled it again, so its five days start anew. */
export const resetHealth = async (client: Database | Transaction, endpoint: EndpointKey): Promise<void> => {
  await client.query(
    `update endpoint_work set consecutive_failures = 0, failing_since = null, open_until = null where platform = $1 and endpoint = $2`,
    [endpoint.platform, endpoint.endpoint],
  );
};
