import rateLimit from '@fastify/rate-limit';
import { OAuthError } from '@grantlog/protocol';
import type { FastifyInstance } from 'fastify';

/**
 * Lets routes bound how often one address asks, by {@link perAddress} in their config. Counted in this process: N nodes
 * let N times as much through, which is enough against whoever tries tokens or loads the log, and costs no round trip.
 */
export const boundRequests = async (app: FastifyInstance): Promise<void> => {
  await app.register(rateLimit, {
    global: false,
    errorResponseBuilder: (_request, { ttl }) =>
      // RFC 6585 §4 has the status. Of the registered codes, `slow_down` (RFC 8628 §3.5) is the one that says what to do;
      // `temporarily_unavailable` would blame the server.
      new OAuthError('slow_down', {
        status: 429,
        description: 'Too many requests from this address; wait as long as Retry-After says',
        headers: { 'retry-after': String(Math.max(1, Math.ceil(ttl / 1000))) },
      }),
  });
};

/** So many requests a minute for one address; of IPv6, for one network of 64 bits. */
export const perAddress = (max: number) => ({ max, timeWindow: 60_000 }) as const;
