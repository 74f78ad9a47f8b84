import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export type ReceivedWebhook = { readonly type: string; readonly timestamp: string; readonly data: Readonly<Record<string, unknown>> };

/** A receiver on loopback that accepts what its secret verifies, by the `standardwebhooks` package, and nothing else. */
export const startWebhookReceiver = async () => {
  const received: ReceivedWebhook[] = [];
  const refused: string[] = [];
  const waiting = new Set<() => void>();
  let verifier: Webhook | null = null;

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      try {
        if (verifier === null) throw new Error('no secret yet');
        const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
        received.push(verifier.verify(Buffer.concat(chunks).toString('utf8'), headers) as ReceivedWebhook);
        response.writeHead(204).end();
      } catch (error) {
        refused.push(String(error));
        response.writeHead(400).end();
      }
      for (const wake of waiting) wake();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}/hook`,
    refused,
    useSecret: (secret: string): void => {
      verifier = new Webhook(secret);
    },
    /** The first verified webhook that fits, now or within `seconds`. @throws Error when none comes. */
    waitFor: async (fits: (webhook: ReceivedWebhook) => boolean, seconds: number): Promise<ReceivedWebhook> => {
      const deadline = Date.now() + seconds * 1000;
      for (;;) {
        const found = received.find(fits);
        if (found !== undefined) return found;
        const left = deadline - Date.now();
        if (left <= 0)
          throw new Error(
            `no such webhook came within ${seconds} s; ${received.length} others did, ${refused.length} were refused: ${refused[0] ?? ''}`,
          );
        await new Promise<void>((resolve) => {
          const timer = setTimeout(done, left);
          function done(): void {
            clearTimeout(timer);
            waiting.delete(done);
            resolve();
          }
          waiting.add(done);
        });
      }
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
};
