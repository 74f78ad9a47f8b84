import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export type Received = {
  readonly path: string;
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: { readonly type: string; readonly timestamp: string; readonly data: Record<string, unknown> };
  readonly at: number;
};
export type Answer = {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly delayMs?: number;
};

const isProof = ({ body }: Received): boolean => body.type === 'webhook_endpoint.verification';

/**
 * An HTTP server that keeps what it gets and answers as it is told. Where it is asked to prove its URL it says yes, and
 * that counts for nothing else, unless `answersProofs` says that it answers those, too, as it is told.
 */
export const createReceiver = async (
  answer: (request: Received, nth: number) => Answer = () => ({ status: 204 }),
  { answersProofs = false }: { readonly answersProofs?: boolean } = {},
) => {
  const received: Received[] = [];
  const proofs: Received[] = [];
  let open = 0;
  let most = 0;
  let respond = answer;
  const server = createServer((request, reply) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      const got: Received = {
        path: request.url ?? '',
        id: String(request.headers['webhook-id']),
        headers: request.headers,
        text,
        body: JSON.parse(text),
        at: performance.now(),
      };
      if (isProof(got) && !answersProofs) {
        proofs.push(got);
        reply.writeHead(204).end();
        return;
      }
      open += 1;
      most = Math.max(most, open);
      received.push(got);
      const { status, headers = {}, body = '', delayMs = 0 } = respond(got, received.length);
      setTimeout(() => {
        open -= 1;
        reply.writeHead(status, headers).end(body);
      }, delayMs);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    proofs,
    ofType: (type: string): readonly Received[] => [...proofs, ...received].filter(({ body }) => body.type === type),
    mostAtOnce: (): number => most,
    answerWith: (next: typeof answer): void => {
      respond = next;
    },
    close: (): Promise<void> =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
};

/** Verifies with the reference implementation; throws where a real receiver would refuse. */
export const verifyWith = (secret: string, request: Received): void => {
  const header = (name: string): string => String(request.headers[name]);
  new Webhook(secret).verify(request.text, {
    'webhook-id': header('webhook-id'),
    'webhook-timestamp': header('webhook-timestamp'),
    'webhook-signature': header('webhook-signature'),
  });
};
