import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { hopByHop } from './hop-by-hop.ts';

/** Ours alone to say, or to keep: our cookies are no business of the resource's, and a path said in a header is not the one we checked. */
const withheld: ReadonlySet<string> = new Set([
  ...hopByHop,
  'cookie',
  'cookie2',
  'expect',
  'forwarded',
  'x-real-ip',
  'x-request-id',
  'traceparent',
  'tracestate',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'fastly-client-ip',
  'forwarded-for',
  'x-forwarded',
  // A program started as CGI reads it as HTTP_PROXY, and asks through whoever is named there.
  'proxy',
  'x-original-url',
  'x-original-host',
  'x-rewrite-url',
]);

/** CGI and WSGI servers read an underscore as a dash, so `X_Forwarded_For` would be a second voice. */
const isWithheld = (name: string): boolean => {
  const normal = name.toLowerCase().replaceAll('_', '-');
  return withheld.has(normal) || normal.startsWith('x-forwarded-');
};

/** The headers that the resource gets: the client's, without what is ours, and with who asked and where. */
export const requestHeaders = (
  request: Pick<FastifyRequest, 'ip' | 'id' | 'traceparent' | 'body'>,
  given: IncomingHttpHeaders,
  issuer: string,
): IncomingHttpHeaders => {
  const { protocol, host } = new URL(issuer);
  const kept = Object.entries(given).filter(([name]) => !isWithheld(name) && (request.body !== undefined || name !== 'content-length'));
  return {
    ...Object.fromEntries(kept),
    // The client alone, as TRUST_PROXY lets us know it: the first and the last of the list are then the same to every reader.
    'x-forwarded-for': request.ip,
    'x-forwarded-proto': protocol.slice(0, -1),
    'x-forwarded-host': host,
    'x-request-id': request.id,
    traceparent: request.traceparent,
  };
};
