import { forgetProofs, type Pool } from '@grantlog/postgres';

const every = 60_000;

/** Forgets used DPoP proofs whose time is over, every minute until stopped. The API takes them, so it needs no worker. */
export const sweepProofs = (options: { readonly pool: Pool; readonly onError: (error: unknown) => void }): (() => void) => {
  const timer = setInterval(() => void forgetProofs(options.pool).catch(options.onError), every);
  timer.unref();
  return () => clearInterval(timer);
};
