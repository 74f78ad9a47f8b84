import { createPublicKey, verify } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { eventually } from '../../../support/eventually.ts';

export type Received = {
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
};

/** Verifies as Standard Webhooks says for `v1a`, which its package for Node does not: Ed25519 over id, timestamp and body. */
const verifyByPublicKey = (publicKey: string, body: string, headers: IncomingHttpHeaders): unknown => {
  const x = Buffer.from(publicKey.replace('whpk_', ''), 'base64').toString('base64url');
  const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) throw new Error(`the timestamp ${String(timestamp)} is too old`);
  const signed = Buffer.from(`${String(id)}.${String(timestamp)}.${body}`, 'utf8');
  const isSigned = String(signatures)
    .split(' ')
    .some((each) => each.startsWith('v1a,') && verify(null, signed, key, Buffer.from(each.slice(4), 'base64')));
  if (!isSigned) throw new Error('no signature fits');
  return JSON.parse(body);
};

/**
 * The receiver of one agent: it takes what carries its token and is signed with its key, and nothing else.
 *
 * @param token what it gave as `webhookToken`.
 */
export const startAgentReceiver = async (token: string) => {
  const received: Received[] = [];
  const refused: string[] = [];
  let learn: (key: string) => void = () => {};
  // The first webhook may be faster than the answer that brings its key.
  const learned = new Promise<string>((resolve) => {
    learn = resolve;
  });

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    const { headers } = request;
    if (headers.authorization !== `Bearer ${token}`) {
      refused.push(`it carries ${headers.authorization ?? 'no token'}`);
      response.writeHead(401).end();
      return;
    }
    try {
      const key = await learned;
      const whole = (
        key.startsWith('whpk_') ? verifyByPublicKey(key, body, headers) : new Webhook(key).verify(body, headers as Record<string, string>)
      ) as Omit<Received, 'id'>;
      received.push({ ...whole, id: String(headers['webhook-id']) });
      response.writeHead(204).end();
    } catch (error) {
      refused.push(error instanceof Error ? error.message : String(error));
      response.writeHead(400).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP

  return {
    url: `http://127.0.0.1:${port}/hooks/arlo`,
    token,
    received,
    refused,
    types: (): readonly string[] => received.map(({ type }) => type),
    /** Gives it what to verify with: `whsec_` or `whpk_`. */
    learn: (key: unknown): void => learn(String(key)),
    waitFor: (type: string): Promise<Received> =>
      eventually(`a webhook ${type}`, async () => received.find((each) => each.type === type) ?? null, 30),
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
};

export type AgentReceiver = Awaited<ReturnType<typeof startAgentReceiver>>;
