import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export type Receiver = {
  readonly url: string;
  readonly useSecret: (secret: string) => void;
  /** Requests that arrived whole and were verified. */
  readonly requests: () => number;
  /** Distinct `webhook-id`s among them. */
  readonly distinct: () => number;
  /** Why requests were refused; empty when every one was verified. */
  readonly refused: () => readonly string[];
  readonly close: () => Promise<void>;
};

/** A receiver on loopback that verifies each request by the `standardwebhooks` package and counts by id. */
export const startReceiver = async (options: { readonly delayMs: number }): Promise<Receiver> => {
  const seen = new Map<string, number>();
  const refused: string[] = [];
  let verifier: Webhook | null = null;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
      try {
        if (verifier === null) throw new Error('no secret yet');
        const text = Buffer.concat(chunks).toString('utf8');
        verifier.verify(text, headers);
        // Proving the URL is no event.
        if (text.includes('"webhook_endpoint.verification"')) {
          response.writeHead(204).end();
          return;
        }
        const id = headers['webhook-id'] ?? '';
        seen.set(id, (seen.get(id) ?? 0) + 1);
        setTimeout(() => response.writeHead(204).end(), options.delayMs);
      } catch (error) {
        refused.push(String(error));
        response.writeHead(400).end();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    useSecret: (secret) => {
      verifier = new Webhook(secret);
    },
    requests: () => [...seen.values()].reduce((sum, count) => sum + count, 0),
    distinct: () => seen.size,
    refused: () => refused,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
};
