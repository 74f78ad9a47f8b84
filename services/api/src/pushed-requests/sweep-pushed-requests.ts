import { deleteExpiredPushedRequests, type Pool } from '@grantlog/postgres';

const every = 60_000;

/** Deletes pushed requests that have run out, every minute until stopped. They are the API's own, so it needs no worker. */
export const sweepPushedRequests = (options: { readonly pool: Pool; readonly onError: (error: unknown) => void }): (() => void) => {
  const timer = setInterval(() => void deleteExpiredPushedRequests(options.pool).catch(options.onError), every);
  timer.unref();
  return () => clearInterval(timer);
};
