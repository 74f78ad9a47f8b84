import type { IncomingMessage } from 'node:http';
import { compile } from '@fastify/proxy-addr';
import { parseTraceparent, spanOf, spellTraceparent } from '@grantlog/runtime';
import type { FastifyInstance, FastifyServerOptions } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    /** Where this request stands in its trace: the correlation id of every event that it causes. */
    readonly traceparent: string;
  }
}

/** Whether a peer is one of the proxies whose headers are believed, those about addresses and those about traces alike. */
type IsTrusted = (address: string) => boolean;

export const trustedPeers = (trustProxy: readonly string[]): IsTrusted => {
  const isTrusted = compile([...trustProxy]);
  return (address) => isTrusted(address, 0);
};

/**
 * The span of a request. It goes on with the trace that a trusted proxy names; whatever anybody else names is not heard, or
 * strangers could join the traces of other people. The span is always ours, so that nobody chooses a whole correlation id.
 */
const spanOfRequest = (isTrusted: IsTrusted, { headers, socket }: IncomingMessage, id: string) => {
  const { traceparent } = headers;
  const isHeard = typeof traceparent === 'string' && socket.remoteAddress !== undefined && isTrusted(socket.remoteAddress);
  return spanOf(id, isHeard ? parseTraceparent(traceparent) : null);
};

/** Has every line about a request name its trace. */
export const logTraces =
  (isTrusted: IsTrusted): NonNullable<FastifyServerOptions['childLoggerFactory']> =>
  (logger, bindings, options, request) =>
    logger.child({ ...bindings, traceId: spanOfRequest(isTrusted, request, bindings.reqId).traceId }, options);

/** Gives every request its `traceparent`. */
export const giveTraceparents = (app: FastifyInstance, isTrusted: IsTrusted): void => {
  app.decorateRequest('traceparent', {
    getter() {
      return spellTraceparent(spanOfRequest(isTrusted, this.raw, this.id));
    },
  });
};
