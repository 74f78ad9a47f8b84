import { createServer as createHttpServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import { guardedConnector } from '../src/guarded-connector.ts';
import type { EgressOptions, EgressOutcome, ResolvedAddress } from '../src/index.ts';
import { createEgress, tellTenant } from '../src/index.ts';
import { permitted } from '../src/resolver.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const listen = async (server: Server | TcpServer): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
};
const serve = async (listener: RequestListener): Promise<string> => `http://127.0.0.1:${await listen(createHttpServer(listener))}`;

const egress = (options: Partial<EgressOptions> = {}) => {
  const client = createEgress({ allowLoopback: true, totalTimeoutMs: 400, ...options });
  cleanups.push(client.close);
  return client;
};
const text = (outcome: EgressOutcome): string => (outcome.kind === 'response' ? Buffer.from(outcome.body).toString() : outcome.kind);
const answers = (...addresses: readonly string[]) => {
  const asked: string[] = [];
  const resolve = async (hostname: string): Promise<readonly ResolvedAddress[]> => {
    asked.push(hostname);
    return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  return { asked, resolve };
};

describe('a request', () => {
  test('arrives with its body, its headers, and no offer to compress', async () => {
    let seen: IncomingMessage | undefined;
    const url = await serve((request, reply) => {
      seen = request;
      request
        .setEncoding('utf8')
        .on('data', (body) => reply.writeHead(202, { 'X-Seen': 'yes', 'set-cookie': ['a', 'b'] }).end(`got ${body}`));
    });
    const outcome = await egress().request({
      url: `${url}/hook?a=1#x`,
      method: 'POST',
      headers: { 'Webhook-Id': '1', authorization: 'Bearer t' },
      body: 'hello',
    });
    expect(outcome).toMatchObject({ kind: 'response', status: 202, truncated: false, headers: { 'x-seen': 'yes', 'set-cookie': 'a, b' } });
    expect(text(outcome)).toBe('got hello');
    expect([seen?.method, seen?.url]).toEqual(['POST', '/hook?a=1']);
    expect(seen?.headers).toMatchObject({ 'accept-encoding': 'identity', 'content-length': '5', host: url.slice(7), 'webhook-id': '1' });
  });

  test('does not call a body truncated that fits exactly', async () => {
    const url = await serve((_, reply) => reply.end('x'.repeat(1_000)));
    const outcome = await egress({ maxResponseBytes: 1_000 }).request({ url, method: 'GET' });
    expect(outcome).toMatchObject({ kind: 'response', truncated: false });
  });

  test('can be ended by the caller', async () => {
    const url = await serve(() => undefined);
    const outcome = await egress({ totalTimeoutMs: 5_000 }).request({ url, method: 'GET', signal: AbortSignal.timeout(30) });
    expect(outcome.kind).toBe('failed');
    expect(outcome.kind === 'failed' && outcome.durationMs).toBeLessThan(2_000);
  });
});

describe('a failure is told apart', () => {
  test('nobody listens', async () => {
    const port = await listen(createTcpServer());
    await cleanups.pop()?.();
    expect(await egress().request({ url: `http://127.0.0.1:${port}`, method: 'GET' })).toMatchObject({ kind: 'failed', reason: 'connect' });
  });
});

describe('a name that leads inside', () => {
  test.each(['127.0.0.1', '10.0.0.1', '169.254.169.254', '::1', '::ffff:127.0.0.1', '64:ff9b::7f00:1', '2002:7f00:1::1', 'fd00:ec2::254'])(
    'is refused at the look-up when it resolves to %s',
    async (address) => {
      const { resolve, asked } = answers(address);
      const outcome = await egress({ allowLoopback: false, resolve }).request({ url: 'https://rebind.example/', method: 'GET' });
      expect(outcome).toEqual({ kind: 'refused', why: 'address_not_allowed' });
      expect(asked).toEqual(['rebind.example']);
    },
  );

  test('is refused on the connected socket even if a look-up let it through', async () => {
    const port = await listen(createTcpServer((socket) => socket.on('error', () => undefined)));
    const connector = guardedConnector({
      lookup: (_, options, callback) =>
        options.all === true ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4),
      permits: permitted(false),
    });
    const error = await new Promise((resolve) =>
      connector({ hostname: 'rebind.example', host: 'rebind.example', protocol: 'http:', port: String(port) }, (failure, socket) => {
        socket?.destroy();
        resolve(failure);
      }),
    );
    expect(error).toMatchObject({ name: 'RefusedDestination' });
  });

  const own = Object.values(networkInterfaces())
    .flat()
    .find((each) => each?.internal === false && each.family === 'IPv4')?.address;
  test.skipIf(own === undefined)('is sent nothing in the clear where it says loopback and leads elsewhere', async () => {
    const server = createHttpServer((_, reply) => reply.end());
    await new Promise<void>((resolve) => server.listen(0, own, resolve));
    cleanups.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const connector = guardedConnector({
      lookup: (_, options, callback) =>
        options.all === true ? callback(null, [{ address: own ?? '', family: 4 }]) : callback(null, own ?? '', 4),
      permits: () => true,
    });
    const error = await new Promise((resolve) =>
      connector({ hostname: 'app.localhost', host: 'app.localhost', protocol: 'http:', port: String(port) }, (failure, socket) => {
        socket?.destroy();
        resolve(failure);
      }),
    );
    expect(error).toMatchObject({ name: 'RefusedDestination' });
  });

  test('reads to the tenant exactly like a name that does not answer', () => {
    const inside = tellTenant({ kind: 'refused', why: 'address_not_allowed' });
    expect(tellTenant({ kind: 'failed', reason: 'dns', durationMs: 3 })).toBe(inside);
    expect(tellTenant({ kind: 'failed', reason: 'connect', durationMs: 3 })).toBe(inside);
  });
});

test('closing ends what is under way', async () => {
  const url = await serve(() => undefined);
  const client = egress({ totalTimeoutMs: 5_000, connectionsPerOrigin: 1 });
  const pending = [1, 2].map(() => client.request({ url, method: 'GET' }));
  await new Promise((resolve) => setTimeout(resolve, 50));
  await client.close();
  for (const outcome of await Promise.all(pending)) expect(outcome).toMatchObject({ kind: 'failed', reason: 'other' });
  expect(await client.request({ url, method: 'GET' })).toMatchObject({ kind: 'failed', reason: 'other' });
});
