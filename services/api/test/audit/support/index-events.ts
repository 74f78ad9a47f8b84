import { consumeOnce, createPool, ensureSubscriptions, transaction } from '@grantlog/postgres';
import { createAuditIndex, ensureGenerations, subscriptionOf } from '@grantlog/read-models';
import { parseTraceparent } from '@grantlog/runtime';
import type { World } from '../../management/support/world.ts';

/** Indexes what there is, as the worker does; no address is told of here. */
export const indexEvents = async (world: Pick<World, 'databaseUrl'>): Promise<void> => {
  const pool = createPool({ connectionString: world.databaseUrl, role: 'grantlog_worker', max: 2 });
  const projection = createAuditIndex({ traceOf: (id) => parseTraceparent(id)?.traceId ?? id, digestAddresses: async () => new Map() });
  try {
    await transaction(pool, (client) => ensureGenerations(client, projection));
    const subscription = subscriptionOf(projection, 1);
    await ensureSubscriptions(pool, [subscription.name]);
    for (;;) {
      const outcome = await consumeOnce(pool, [subscription]);
      if (outcome.kind === 'failed') throw outcome.error;
      if (outcome.kind === 'idle') return;
    }
  } finally {
    await pool.end();
  }
};
