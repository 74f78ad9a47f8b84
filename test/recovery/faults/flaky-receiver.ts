import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

/** What the parent process asks. */
export type FlakyCommand = { readonly kind: 'secrets'; readonly secrets: Readonly<Record<string, string>> } | { readonly kind: 'report' };

export type FlakyReport = {
  /** Requests that came, and those of them that were answered 2xx. */
  readonly requests: number;
  readonly taken: number;
  /** Different messages that were answered 2xx, counted for each endpoint. */
  readonly distinct: number;
  /** Messages that came with more than one body. */
  readonly otherBodies: number;
  readonly badSignatures: number;
};

/**
 * A receiver as a process of its own that fails so many times in a hundred, each time in another way, verifies every
 * signature by the reference implementation, and remembers what it has taken.
 */
const failing = Number(process.argv[2]) / 100;
let state = Number(process.argv[3]) >>> 0;
/** A generator of its own, so that a run can be repeated (mulberry32). */
const random = (): number => {
  state = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
};

const verifiers = new Map<string, Webhook>();
const bodies = new Map<string, string>();
const taken = new Set<string>();
let requests = 0;
let answered = 0;
let otherBodies = 0;
let badSignatures = 0;

const server = createServer((request, reply) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const text = Buffer.concat(chunks).toString();
    const endpoint = (request.url ?? '').slice(1);
    const { type } = JSON.parse(text) as { readonly type: string };
    if (type === 'webhook_endpoint.verification') {
      reply.writeHead(204).end();
      return;
    }
    requests += 1;
    const header = (name: string): string => String(request.headers[name]);
    const id = header('webhook-id');
    try {
      const signed = {
        'webhook-id': id,
        'webhook-timestamp': header('webhook-timestamp'),
        'webhook-signature': header('webhook-signature'),
      };
      verifiers.get(endpoint)?.verify(text, signed);
      if (!verifiers.has(endpoint)) badSignatures += 1;
    } catch {
      badSignatures += 1;
    }
    const digest = createHash('sha256').update(text).digest('base64');
    if ((bodies.get(id) ?? digest) !== digest) otherBodies += 1;
    bodies.set(id, digest);
    if (random() < failing) {
      const way = random();
      if (way < 0.5) reply.writeHead(500).end('not now');
      else if (way < 0.55) reply.writeHead(503, { 'retry-after': '1' }).end();
      else request.socket.destroy();
      return;
    }
    answered += 1;
    taken.add(`${endpoint} ${id}`);
    reply.writeHead(204).end();
  });
});
server.keepAliveTimeout = 30_000;

process.on('message', (command: FlakyCommand) => {
  if (command.kind === 'secrets')
    for (const [endpoint, secret] of Object.entries(command.secrets)) verifiers.set(endpoint, new Webhook(secret));
  else process.send?.({ requests, taken: answered, distinct: taken.size, otherBodies, badSignatures } satisfies FlakyReport);
});
process.on('disconnect', () => process.exit(0));
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
