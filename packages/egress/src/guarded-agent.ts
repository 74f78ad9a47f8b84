import type { LookupFunction } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { classifyAddress } from './address.ts';
import { RefusedDestination } from './outcome.ts';
import type { Permits } from './resolver.ts';

/**
 * A connector that judges the address its socket really reached, after the look-up judged what it would reach.
 * Plain http is for loopback only, whatever the name of the host promised.
 */
export const guardedConnector = (guard: {
  readonly lookup: LookupFunction;
  readonly permits: Permits;
  readonly timeoutMs: number;
  readonly ca?: readonly string[] | undefined;
}): buildConnector.connector => {
  const ca = guard.ca === undefined ? {} : { ca: [...guard.ca] };
  const connect = buildConnector({ lookup: guard.lookup, timeout: guard.timeoutMs, allowH2: false, ...ca });
  return (options, callback) => {
    connect(options, (...[error, socket]) => {
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
  };
};

/** An agent whose every connection passed the guard. Pooled sockets were judged when they connected, and live a minute at most. */
export const guardedAgent = (guard: {
  readonly lookup: LookupFunction;
  readonly permits: Permits;
  readonly timeoutMs: number;
  readonly connectionsPerOrigin: number;
  /** Certificates in PEM of whoever vouches for the servers; default: those that this runtime trusts. */
  readonly ca?: readonly string[] | undefined;
}): Agent =>
  new Agent({
    connect: guardedConnector(guard),
    connections: guard.connectionsPerOrigin,
    pipelining: 1,
    clientTtl: 60_000,
    keepAliveTimeout: 4_000,
    keepAliveMaxTimeout: 30_000,
    headersTimeout: guard.timeoutMs,
    bodyTimeout: guard.timeoutMs,
    allowH2: false,
  });
