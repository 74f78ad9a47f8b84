import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the parent process asks of a receiver. */
export type ReceiverCommand =
  | { readonly kind: 'reset' /** Whether bodies are read for the time of their event. */; readonly timed: boolean }
  /** Holds back the answers to one path. */
  | { readonly kind: 'slow'; readonly path: string; readonly delayMs: number }
  | { readonly kind: 'report' };

export type ReceiverReport = {
  readonly received: number;
  /** Milliseconds since the epoch. */
  readonly first: number;
  readonly last: number;
  /** Milliseconds from the record of each event to its arrival, in no order. */
  readonly latencies: readonly number[];
};

/** A receiver as a process of its own, which counts what arrives and answers 204 at once. */
let received = 0;
let first = 0;
let last = 0;
let timed = false;
let latencies: number[] = [];
const slow = new Map<string, number>();

const now = (): number => performance.timeOrigin + performance.now();

const server = createServer((request, reply) => {
  const arrived = now();
  received += 1;
  if (first === 0) first = arrived;
  last = arrived;
  const delayMs = slow.get(request.url ?? '') ?? 0;
  if (timed && delayMs === 0) {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { timestamp } = JSON.parse(Buffer.concat(chunks).toString()) as { readonly timestamp: string };
      latencies.push(arrived - Date.parse(timestamp));
    });
  } else request.resume();
  if (delayMs === 0) reply.writeHead(204).end();
  else setTimeout(() => reply.writeHead(204).end(), delayMs);
});
server.keepAliveTimeout = 60_000;

process.on('message', (command: ReceiverCommand) => {
  switch (command.kind) {
    case 'reset':
      received = 0;
      first = 0;
      last = 0;
      latencies = [];
      timed = command.timed;
      break;
    case 'slow':
      slow.set(command.path, command.delayMs);
      break;
    case 'report':
      process.send?.({ received, first, last, latencies } satisfies ReceiverReport);
      break;
  }
});
process.on('disconnect', () => process.exit(0));
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
