import { consumeOnce, createReadAhead, ensureSubscriptions, type Pool, type Subscription } from '@grantlog/postgres';

/** Hands everything that stands in the logs to subscriptions, as the worker's runner does; says how many events they took. */
export const consumeAll = async (pool: Pool, subscriptions: readonly Subscription[]): Promise<number> => {
  await ensureSubscriptions(
    pool,
    subscriptions.map(({ name }) => name),
  );
  const readAhead = createReadAhead(pool);
  for (let events = 0; ; ) {
    const outcome = await consumeOnce(pool, subscriptions, readAhead);
    switch (outcome.kind) {
      case 'failed':
        throw outcome.error;
      case 'idle':
        return events;
      case 'consumed':
        events += outcome.events;
    }
  }
};
