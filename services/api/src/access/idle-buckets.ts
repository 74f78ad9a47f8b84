import { deleteIdleAttemptBuckets, type Pool } from '@grantlog/postgres';

const every = 10 * 60_000;

/**
 * Deletes drained attempt buckets every ten minutes, until stopped. The API does it and not the worker, because the
 * buckets are the API's own and sign-in works where no worker runs. Nodes that do it at once pass each other's rows over.
 */
export const sweepIdleBuckets = (options: { readonly pool: Pool; readonly onError: (error: unknown) => void }): (() => void) => {
  const timer = setInterval(() => void deleteIdleAttemptBuckets(options.pool).catch(options.onError), every);
  timer.unref();
  return () => clearInterval(timer);
};
