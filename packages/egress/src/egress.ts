import { getCACertificates } from 'node:tls';
import type { CheckedUrl } from './check-url.ts';
import { checkUrl } from './check-url.ts';
import { createConnections } from './connections.ts';
import { createDestinations, type Lane } from './destinations.ts';
import { Exchange } from './exchange.ts';
import { type Connect, guardedConnector } from './guarded-connector.ts';
import { inTurn } from './look-up-turns.ts';
import type { EgressOutcome } from './outcome.ts';
import { requestHeaders } from './request-headers.ts';
import type { Permits, Resolver } from './resolver.ts';
import { guardedLookup, permitted, systemResolver } from './resolver.ts';
import { createWatch } from './watch.ts';

export type EgressOptions = {
  /** Whether loopback may be reached at all: in development only. */
  readonly allowLoopback: boolean;
  /** From the call to the last byte of the response, in milliseconds; default 10,000. */
  readonly totalTimeoutMs?: number;
  /** Bytes of the response that are kept; default 65,536. */
  readonly maxResponseBytes?: number;
  /** Open connections to one origin; default 8. */
  readonly connectionsPerOrigin?: number;
  /** Open connections to all origins together; default 2,000. Idle ones make room for others. */
  readonly maxSockets?: number;
  /**
   * Destinations that may be special-use addresses, as `host:port` with the port always written. For them alone the port is
   * free, and for them alone `ca` counts. They are reached by https only.
   */
  readonly exceptions?: readonly string[];
  /** A certificate authority in PEM that vouches for the exceptions, besides those that this runtime trusts. */
  readonly ca?: string | undefined;
  /** Whether look-ups wait for each other where strangers choose the names and passwords are hashed beside; default false. */
  readonly looksUpInTurn?: boolean;
  /** Replaces the system's resolver. */
  readonly resolve?: Resolver;
};

export type EgressRequest = {
  readonly url: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Takes loopback away for this request; it cannot grant what the options withhold. */
  readonly allowLoopback?: boolean;
  /** A shorter time than the options' total, from the call on, in milliseconds. */
  readonly timeoutMs?: number;
  /** Fewer bytes of the response than the options keep. */
  readonly maxResponseBytes?: number;
  /** Ends the request early; its outcome is then `failed`, reason `other`. */
  readonly signal?: AbortSignal;
};

/** The one way out to servers that strangers name. */
export type Egress = {
  /** Sends one request and never rejects; redirects are answers, not followed. */
  readonly request: (request: EgressRequest) => Promise<EgressOutcome>;
  /** Judges a URL without any I/O, as the request would, for the moment at which it is configured. */
  readonly checkUrl: (url: string, options?: { readonly allowLoopback?: boolean }) => CheckedUrl;
  /** Ends every connection at once. */
  readonly close: () => Promise<void>;
};

/**
 * Makes the guarded outbound client.
 *
 * https only (http on loopback alone), ports 443 and 8443, no credentials in URLs, no redirects, no decompression,
 * no HTTP/2, and no special-use address, judged at the look-up and again on the connected socket. What the operator
 * excepts may be anywhere, on any port, and changes nothing else.
 */
export const createEgress = (options: EgressOptions): Egress => {
  const { totalTimeoutMs = 10_000, maxResponseBytes = 65_536, connectionsPerOrigin = 8, maxSockets = 2_000 } = options;
  const resolver = options.resolve ?? systemResolver;
  const resolve = options.looksUpInTurn === true ? inTurn(resolver, totalTimeoutMs) : resolver;
  const exceptions = new Set(options.exceptions?.map((exception) => exception.toLowerCase()));
  const connectorFor = (permits: Permits, ca?: readonly string[]) =>
    guardedConnector({ lookup: guardedLookup(resolve, permits), permits, ca });
  const connectors = {
    public: connectorFor(permitted(false)),
    development: connectorFor(permitted(true)),
    excepted: connectorFor(() => true, options.ca === undefined ? undefined : [...getCACertificates('default'), options.ca]),
  } satisfies Record<Lane, Connect>;
  const destinationOf = createDestinations(exceptions);
  const connections = createConnections({ perServer: connectionsPerOrigin, sockets: maxSockets });
  const watch = createWatch();
  const mayLoop = (asked: boolean | undefined): boolean => options.allowLoopback && asked !== false;

  const send = async (request: EgressRequest): Promise<EgressOutcome> => {
    const startedAt = performance.now();
    const { url, method, body = null, signal } = request;
    const destination = destinationOf(url, mayLoop(request.allowLoopback));
    if (destination.kind === 'refused') return destination;
    const headers = requestHeaders(request.headers ?? {});
    if (headers === null) return { kind: 'refused', why: 'header_not_allowed' };
    if (signal?.aborted === true) return { kind: 'failed', reason: 'other', durationMs: 0 };

    const { lane, origin, path, key } = destination;
    return await new Promise((answer) => {
      const exchange = new Exchange({
        message: { path, method, headers, body },
        startedAt,
        timeoutMs: Math.min(request.timeoutMs ?? totalTimeoutMs, totalTimeoutMs),
        maxResponseBytes: Math.min(request.maxResponseBytes ?? maxResponseBytes, maxResponseBytes),
        signal,
        onEnd: (outcome) => {
          watch.delete(exchange);
          answer(outcome);
        },
      });
      watch.add(exchange);
      connections.send(exchange, { key, origin, connect: connectors[lane] });
    });
  };

  return {
    request: send,
    checkUrl: (url, asked) => checkUrl(url, mayLoop(asked?.allowLoopback), exceptions),
    close: async () => {
      const closed = connections.close();
      for (const exchange of watch.all()) exchange.stop('other');
      await closed;
    },
  };
};
