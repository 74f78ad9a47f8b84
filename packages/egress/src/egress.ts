import { getCACertificates } from 'node:tls';
import type { Dispatcher } from 'undici';
import type { CheckedUrl } from './check-url.ts';
import { checkUrl } from './check-url.ts';
import { classifyFailure } from './failure.ts';
import { guardedAgent } from './guarded-agent.ts';
import { inTurn } from './look-up-turns.ts';
import type { EgressOutcome } from './outcome.ts';
import { requestHeaders } from './request-headers.ts';
import type { Permits, Resolver } from './resolver.ts';
import { guardedLookup, permitted, systemResolver } from './resolver.ts';

export type EgressOptions = {
  /** Whether loopback may be reached at all: in development only. */
  readonly allowLoopback: boolean;
  /** From the call to the last byte of the response, in milliseconds; default 10,000. */
  readonly totalTimeoutMs?: number;
  /** Bytes of the response that are kept; default 65,536. */
  readonly maxResponseBytes?: number;
  /** Open connections to one origin; default 8. */
  readonly connectionsPerOrigin?: number;
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

const readBody = async (
  body: Dispatcher.ResponseData['body'],
  limit: number,
): Promise<{ readonly body: Uint8Array; readonly truncated: boolean }> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop destroys the stream and with it the connection: what was not read is never received.
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    const room = limit - size;
    chunks.push(chunk.subarray(0, room));
    size += Math.min(chunk.length, room);
    if (chunk.length > room) return { body: Buffer.concat(chunks), truncated: true };
  }
  return { body: Buffer.concat(chunks), truncated: false };
};

const plainHeaders = (headers: Dispatcher.ResponseData['headers']): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  );

/**
 * Makes the guarded outbound client.
 *
 * https only (http on loopback alone), ports 443 and 8443, no credentials in URLs, no redirects, no decompression,
 * no HTTP/2, and no special-use address, judged at the look-up and again on the connected socket. What the operator
 * excepts may be anywhere, on any port, and changes nothing else.
 */
export const createEgress = (options: EgressOptions): Egress => {
  const { totalTimeoutMs: timeoutMs = 10_000, maxResponseBytes = 65_536, connectionsPerOrigin = 8 } = options;
  const resolver = options.resolve ?? systemResolver;
  const resolve = options.looksUpInTurn === true ? inTurn(resolver, timeoutMs) : resolver;
  const exceptions = new Set(options.exceptions?.map((exception) => exception.toLowerCase()));
  const agentFor = (permits: Permits, ca?: readonly string[]) =>
    guardedAgent({ lookup: guardedLookup(resolve, permits), permits, timeoutMs, connectionsPerOrigin, ca });
  // A pool each: a connection made where more is allowed must not be reused where it is not.
  const agents = {
    public: agentFor(permitted(false)),
    development: agentFor(permitted(true)),
    excepted: agentFor(() => true, options.ca === undefined ? undefined : [...getCACertificates('default'), options.ca]),
  };
  const mayLoop = (asked: boolean | undefined): boolean => options.allowLoopback && asked !== false;

  const send = async (request: EgressRequest): Promise<EgressOutcome> => {
    const allowLoopback = mayLoop(request.allowLoopback);
    const checked = checkUrl(request.url, allowLoopback, exceptions);
    if (checked.kind === 'refused') return checked;
    const headers = requestHeaders(request.headers ?? {});
    if (headers === null) return { kind: 'refused', why: 'header_not_allowed' };

    const started = performance.now();
    const elapsed = (): number => Math.round(performance.now() - started);
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      const agent = checked.excepted ? agents.excepted : allowLoopback ? agents.development : agents.public;
      const response = await agent.request({
        origin: checked.url.origin,
        path: `${checked.url.pathname}${checked.url.search}`,
        method: request.method,
        headers,
        body: request.body ?? null,
        signal: request.signal === undefined ? deadline : AbortSignal.any([deadline, request.signal]),
      });
      const read = await readBody(response.body, maxResponseBytes);
      return { kind: 'response', status: response.statusCode, headers: plainHeaders(response.headers), ...read, durationMs: elapsed() };
    } catch (error) {
      const reason = deadline.aborted ? 'timeout' : classifyFailure(error);
      if (reason === 'refused') return { kind: 'refused', why: 'address_not_allowed' };
      return { kind: 'failed', reason, durationMs: elapsed() };
    }
  };

  return {
    request: send,
    checkUrl: (url, asked) => checkUrl(url, mayLoop(asked?.allowLoopback), exceptions),
    close: async () => {
      await Promise.all(Object.values(agents).map((agent) => agent.destroy()));
    },
  };
};
