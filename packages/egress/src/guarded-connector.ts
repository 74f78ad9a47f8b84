import { type LookupFunction, Socket } from 'node:net';
import { buildConnector } from 'undici';
import { classifyAddress } from './address.ts';
import { RefusedDestination } from './outcome.ts';
import type { Permits } from './resolver.ts';

/** Connects, and hands out the socket at once, so that whoever gives up can end it before it is connected. */
export type Connect = (options: buildConnector.Options, callback: buildConnector.Callback) => Socket | undefined;

/**
 * A connector that judges the address its socket really reached, after the look-up judged what it would reach.
 * Plain http is for loopback only, whatever the name of the host promised.
 *
 * It has no patience of its own: a connection is ended with the request that it is made for.
 */
export const guardedConnector = (guard: {
  readonly lookup: LookupFunction;
  readonly permits: Permits;
  /** Certificates in PEM of whoever vouches for the servers; default: those that this runtime trusts. */
  readonly ca?: readonly string[] | undefined;
}): Connect => {
  const ca = guard.ca === undefined ? {} : { ca: [...guard.ca] };
  const connect = buildConnector({ lookup: guard.lookup, timeout: 0, allowH2: false, ...ca });
  return (options, callback) => {
    // undici's types leave out what it returns.
    const begun: unknown = connect(options, (...[error, socket]) => {
      if (error !== null || socket === null) {
        callback(error ?? new RefusedDestination(), null);
        return;
      }
      const reached = socket.remoteAddress ?? '';
      if (guard.permits(reached) && (options.protocol === 'https:' || classifyAddress(reached) === 'loopback')) {
        callback(null, socket);
        return;
      }
      socket.destroy();
      callback(new RefusedDestination(), null);
    });
    return begun instanceof Socket ? begun : undefined;
  };
};
