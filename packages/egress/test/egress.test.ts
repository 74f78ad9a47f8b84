import { createServer as createHttpServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { guardedConnector } from '../src/guarded-agent.ts';
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

  test('never follows a redirect (CV-63)', async () => {
    let followed = false;
    const target = await serve((_, reply) => {
      followed = true;
      reply.end();
    });
    const url = await serve((_, reply) => reply.writeHead(307, { location: target }).end());
    expect(await egress().request({ url, method: 'POST', body: 'x' })).toMatchObject({ kind: 'response', status: 307 });
    expect(followed).toBe(false);
  });

  test('keeps at most the agreed bytes of an endless body and stops receiving', async () => {
    let sent = 0;
    let closed: (() => void) | undefined;
    const ended = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const url = await serve((_, reply) => {
      const chunk = Buffer.alloc(64 * 1024, 'x');
      const more = (): void => {
        sent += chunk.length;
        if (!reply.destroyed) reply.write(chunk, () => setImmediate(more));
      };
      reply.on('close', () => closed?.());
      more();
    });
    const outcome = await egress({ maxResponseBytes: 1_000, totalTimeoutMs: 5_000 }).request({ url, method: 'GET' });
    expect(outcome).toMatchObject({ kind: 'response', status: 200, truncated: true });
    expect(outcome.kind === 'response' && outcome.body.length).toBe(1_000);
    await ended;
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  test('does not call a body truncated that fits exactly', async () => {
    const url = await serve((_, reply) => reply.end('x'.repeat(1_000)));
    const outcome = await egress({ maxResponseBytes: 1_000 }).request({ url, method: 'GET' });
    expect(outcome).toMatchObject({ kind: 'response', truncated: false });
  });

  test('hands on compressed bytes without unpacking them (CV-64)', async () => {
    const bomb = gzipSync(Buffer.alloc(1_000_000));
    const url = await serve((_, reply) => reply.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb));
    const outcome = await egress().request({ url, method: 'GET' });
    expect(outcome.kind === 'response' && Buffer.compare(Buffer.from(outcome.body), bomb)).toBe(0);
  });

  test('is over after the total time, however lively the drip', async () => {
    const url = await serve((_, reply) => {
      reply.writeHead(200);
      const drip = setInterval(() => reply.write('.'), 20);
      reply.on('close', () => clearInterval(drip));
    });
    const outcome = await egress().request({ url, method: 'GET' });
    expect(outcome).toMatchObject({ kind: 'failed', reason: 'timeout' });
    expect(outcome.kind === 'failed' && outcome.durationMs).toBeGreaterThanOrEqual(390);
    expect(outcome.kind === 'failed' && outcome.durationMs).toBeLessThan(1_500);
  });

  test('is over after the total time when nothing answers, also while names resolve', async () => {
    const silent = await listen(createTcpServer(() => undefined));
    expect(await egress().request({ url: `http://127.0.0.1:${silent}`, method: 'GET' })).toMatchObject({
      kind: 'failed',
      reason: 'timeout',
    });
    const stuck = egress({ resolve: () => new Promise(() => undefined) });
    expect(await stuck.request({ url: 'https://hooks.example', method: 'GET' })).toMatchObject({ kind: 'failed', reason: 'timeout' });
  });

  test('can be ended by the caller', async () => {
    const url = await serve(() => undefined);
    const outcome = await egress({ totalTimeoutMs: 5_000 }).request({ url, method: 'GET', signal: AbortSignal.timeout(30) });
    expect(outcome.kind).toBe('failed');
    expect(outcome.kind === 'failed' && outcome.durationMs).toBeLessThan(2_000);
  });

  test.each([
    'Host',
    'content-length',
    'Transfer-Encoding',
    'Connection',
    'accept-encoding',
    'Proxy-Authorization',
    'Cookie',
    'bad name',
    '',
  ])('refuses to override the header %j (CV-65)', async (name) => {
    expect(await egress().request({ url: 'http://127.0.0.1:1', method: 'GET', headers: { [name]: '1' } })).toEqual({
      kind: 'refused',
      why: 'header_not_allowed',
    });
  });

  test.each(['a\r\nb: c', 'a\nb', 'é', 'a\0', 'x'.repeat(8_193)])('refuses the header value %j (CV-68)', async (value) => {
    const outcome = await egress().request({ url: 'http://127.0.0.1:1', method: 'GET', headers: { 'x-a': value } });
    expect(outcome).toEqual({ kind: 'refused', why: 'header_not_allowed' });
  });

  test('refuses one header in two spellings', async () => {
    const outcome = await egress().request({ url: 'http://127.0.0.1:1', method: 'GET', headers: { 'X-A': '1', 'x-a': '2' } });
    expect(outcome).toEqual({ kind: 'refused', why: 'header_not_allowed' });
  });
});

describe('a failure is told apart', () => {
  test('nobody listens', async () => {
    const port = await listen(createTcpServer());
    await cleanups.pop()?.();
    expect(await egress().request({ url: `http://127.0.0.1:${port}`, method: 'GET' })).toMatchObject({ kind: 'failed', reason: 'connect' });
  });

  test('the name does not resolve', async () => {
    const notFound = Object.assign(new Error('getaddrinfo ENOTFOUND secret.internal'), { code: 'ENOTFOUND', syscall: 'getaddrinfo' });
    const outcome = await egress({ resolve: () => Promise.reject(notFound) }).request({ url: 'https://secret.internal', method: 'GET' });
    expect(outcome).toMatchObject({ kind: 'failed', reason: 'dns' });
    expect(JSON.stringify(outcome)).not.toContain('internal');
  });

  test('TLS meets a server that speaks none', async () => {
    const url = await serve((_, reply) => reply.end());
    expect(await egress().request({ url: url.replace('http:', 'https:'), method: 'GET' })).toMatchObject({ kind: 'failed', reason: 'tls' });
  });

  test.each([
    ['before the headers', ''],
    ['within the body', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc'],
  ])('the connection ends %s', async (_, sent) => {
    const port = await listen(createTcpServer((socket) => socket.once('data', () => socket.end(sent))));
    expect(await egress().request({ url: `http://127.0.0.1:${port}`, method: 'GET' })).toMatchObject({ kind: 'failed', reason: 'reset' });
  });

  test.each([
    ['no HTTP', 'hello there\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\nContent-Length: 2\r\n\r\nab'],
    ['endless headers', `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`],
    ['an upgrade nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'],
  ])('a hostile server sends %s, and the process lives on (CV-66)', async (_, sent) => {
    const port = await listen(createTcpServer((socket) => socket.on('error', () => undefined).once('data', () => socket.end(sent))));
    expect((await egress().request({ url: `http://127.0.0.1:${port}`, method: 'GET' })).kind).toBe('failed');
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

  test('is refused when it answers public first and loopback when it counts (CV-62)', async () => {
    let hits = 0;
    await listen(createTcpServer(() => (hits += 1)));
    let asked = 0;
    const resolve = async (): Promise<readonly ResolvedAddress[]> => {
      asked += 1;
      return [{ address: asked === 1 ? '192.0.2.1' : '127.0.0.1', family: 4 }];
    };
    const client = egress({ allowLoopback: false, resolve });
    for (let attempt = 0; attempt < 3; attempt += 1) {
      expect(await client.request({ url: 'https://rebind.example:8443/', method: 'GET' })).toEqual({
        kind: 'refused',
        why: 'address_not_allowed',
      });
    }
    expect(hits).toBe(0);
  });

  test('is refused on the connected socket even if a look-up let it through', async () => {
    const port = await listen(createTcpServer((socket) => socket.on('error', () => undefined)));
    const connector = guardedConnector({
      lookup: (_, options, callback) =>
        options.all === true ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4),
      permits: permitted(false),
      timeoutMs: 400,
    });
    const error = await new Promise((resolve) =>
      connector({ hostname: 'rebind.example', host: 'rebind.example', protocol: 'http:', port: String(port) }, (failure, socket) => {
        socket?.destroy();
        resolve(failure);
      }),
    );
    expect(error).toMatchObject({ name: 'RefusedDestination' });
  });

  test('uses the public addresses of a name and leaves out the others', async () => {
    const url = await serve((_, reply) => reply.end('here'));
    const { resolve } = answers('10.0.0.1', 'fe80::1', '127.0.0.1');
    const outcome = await egress({ resolve }).request({ url: url.replace('127.0.0.1', 'app.localhost'), method: 'GET' });
    expect(text(outcome)).toBe('here');
  });

  test('does not borrow a connection that was made where loopback is allowed', async () => {
    const url = await serve((_, reply) => reply.end('here'));
    const client = egress();
    expect(text(await client.request({ url, method: 'GET' }))).toBe('here');
    expect(await client.request({ url, method: 'GET', allowLoopback: false })).toEqual({ kind: 'refused', why: 'address_not_allowed' });
  });

  test('reads to the tenant exactly like a name that does not answer', () => {
    const inside = tellTenant({ kind: 'refused', why: 'address_not_allowed' });
    expect(tellTenant({ kind: 'failed', reason: 'dns', durationMs: 3 })).toBe(inside);
    expect(tellTenant({ kind: 'failed', reason: 'connect', durationMs: 3 })).toBe(inside);
  });
});

test('closing ends what is under way', async () => {
  const url = await serve(() => undefined);
  const client = egress({ totalTimeoutMs: 5_000 });
  const pending = client.request({ url, method: 'GET' });
  await new Promise((resolve) => setTimeout(resolve, 50));
  await client.close();
  expect((await pending).kind).toBe('failed');
  expect((await client.request({ url, method: 'GET' })).kind).toBe('failed');
});
