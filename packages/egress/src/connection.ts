import type { Socket } from 'node:net';
import { Client } from 'undici';
import type { Exchange, Holder } from './exchange.ts';
import type { Connect } from './guarded-connector.ts';
import { maxHeaderBytes } from './response-headers.ts';

/** A connection to one server, for one exchange at a time. */
export type Connection = {
  /** Sends the request of an exchange. */
  readonly carry: (exchange: Exchange) => void;
  /** Whether it is open and was opened less than this many milliseconds ago. */
  readonly isYounger: (thanMs: number) => boolean;
  /** Ends it at once, also while it is being made. */
  readonly end: () => Promise<void>;
};

const settings = {
  pipelining: 1,
  keepAliveTimeout: 4_000,
  keepAliveMaxTimeout: 30_000,
  maxHeaderSize: maxHeaderBytes,
  // Every exchange has its own deadline, which no dripping server can push away.
  headersTimeout: 0,
  bodyTimeout: 0,
  allowH2: false,
} as const;

/**
 * @param of.onFree is called when its exchange is over and it can take the next.
 * @param of.onGone is called, perhaps more than once, when it can take none any more, also where it never came about.
 */
export const openConnection = (of: {
  readonly origin: string;
  readonly connect: Connect;
  readonly onFree: () => void;
  readonly onGone: () => void;
}): Connection => {
  const openedAt = performance.now();
  let socket: Socket | undefined;
  let carried: Exchange | undefined;
  const client = new Client(of.origin, {
    ...settings,
    connect: (options, callback) => {
      socket = of.connect(options, callback);
    },
  });
  const holder: Holder = {
    late: () => 'timeout',
    received: () => socket?.bytesRead ?? 0,
    // Afterwards undici has made up its mind whether the socket stays open, and looks for bytes that nobody asked for.
    release: () => queueMicrotask(of.onFree),
    abandon: of.onGone,
  };
  // undici connects anew for a request that it has not begun to send when the connection turns out to be closed.
  const onLost = (): void => {
    if (carried?.isOver !== false) of.onGone();
  };
  client.on('disconnect', onLost).on('connectionError', onLost);

  return {
    carry: (exchange) => {
      carried = exchange;
      exchange.heldBy(holder);
      client.dispatch(exchange.message, exchange);
    },
    isYounger: (thanMs) => socket?.destroyed === false && performance.now() - openedAt < thanMs,
    end: async () => {
      const ended = client.destroy();
      socket?.destroy();
      await ended;
    },
  };
};
