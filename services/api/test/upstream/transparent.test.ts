import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { createProxyWorld, type ProxyWorld } from './support/proxy-world.ts';

const base = '/acme/api';

let world: ProxyWorld;
let upstream: ProxyWorld['upstream'];
let send: ProxyWorld['send'];
beforeAll(async () => {
  world = await createProxyWorld(inject('databaseUrl'));
  ({ upstream, send } = world);
});
afterAll(() => world.close());
beforeEach(() => world.reset());

const open = (): Socket => connect((world.app.server.address() as AddressInfo).port, '127.0.0.1');

/** A request as bytes, and everything that comes back until the server closes. */
const converse = async (text: string): Promise<string> => {
  const socket = open();
  socket.write(text, 'latin1');
  return (await socket.setEncoding('latin1').toArray()).join('');
};
const close = 'Host: x\r\nConnection: close\r\n';

describe('the bytes of a request', () => {
  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    'of %s keep their body, whether it says its length or comes in chunks',
    async (method) => {
      await converse(`${method} ${base} HTTP/1.1\r\n${close}Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nwhole`);
      await converse(
        `${method} ${base} HTTP/1.1\r\n${close}Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nin \r\n4\r\ntwos\r\n0\r\n\r\n`,
      );
      await converse(`${method} ${base} HTTP/1.1\r\n${close}Content-Length: 7\r\n\r\nno type`);
      expect(upstream.seen.map((seen) => [seen.method, seen.body])).toEqual([
        [method, 'whole'],
        [method, 'in twos'],
        [method, 'no type'],
      ]);
    },
  );

  test.each(['GET', 'HEAD'])('of %s give their body up, and the resource is not left waiting for it', async (method) => {
    await converse(`${method} ${base} HTTP/1.1\r\n${close}Content-Length: 5\r\n\r\nwhole`);
    await converse(`${method} ${base} HTTP/1.1\r\n${close}Transfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n`);
    for (const { body, headers } of upstream.seen) {
      expect(body).toBe('');
      expect(headers['content-length'] ?? '0').toBe('0');
    }
    expect(upstream.seen).toHaveLength(2);
  });

  test.each([
    '/things//7//',
    '/a%20b/%C3%A9/%41',
    "/a;b=c,d:e@f!$&'()*+~[x]|y",
    '/.hidden/a..b',
    '/x?a=1&&b=%2F..%2f&c=a+b&d=%zz&e="<>{}|^`\'\\',
    '/x?next=https://a.example/?b=c?d',
    '//',
  ])('keep the path and the query %s', async (rest) => {
    await converse(`GET ${base}${rest} HTTP/1.1\r\n${close}\r\n`);
    expect(upstream.seen.map(({ url }) => url)).toEqual([`/own${rest}`]);
  });

  test('lose the question mark of an empty query alone', async () => {
    await send(`${base}/x?`);
    expect(upstream.seen.map(({ url }) => url)).toEqual(['/own/x']);
  });

  test('are escaped where no path may hold them, and refused where nobody could say what they mean', async () => {
    await converse(`GET ${base}/"<>{}^\` HTTP/1.1\r\n${close}\r\n`);
    expect(upstream.seen.map(({ url }) => decodeURIComponent(url))).toEqual(['/own/"<>{}^`']);
    for (const raw of ['/\xc3\xa9', '/\xff', '/?x=\xc3\xa9'])
      expect(await converse(`GET ${base}${raw} HTTP/1.1\r\n${close}\r\n`), raw).toMatch(/^HTTP\/1.1 400 /);
    expect(upstream.seen).toHaveLength(1);
  });

  test('reach the resource while they are still coming, as its answer reaches the client', async () => {
    const begun = once(upstream.server, 'request') as Promise<[IncomingMessage, ServerResponse]>;
    const socket = open().setEncoding('utf8');
    socket.write(`POST ${base} HTTP/1.1\r\n${close}Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n`);
    const [request, reply] = await begun;
    // The world's own reading of the body has begun before; what it does not see is what is not there yet.
    expect(request.complete).toBe(false);
    reply.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
    const [early] = (await once(socket, 'data')) as [string];
    expect(early).toMatch(/^HTTP\/1.1 200 .*data: 1/s);
    socket.write('4\r\nlast\r\n0\r\n\r\n');
    await expect.poll(() => upstream.seen.map(({ body }) => body)).toEqual(['firstlast']);
    socket.destroy();
  });
});

describe('the bytes of an answer', () => {
  test('are its own when it is 304, with the validators both ways', async () => {
    upstream.answerWith((_, reply) => reply.writeHead(304, { etag: '"v1"', 'cache-control': 'private' }).end());
    const told = await send(base, { headers: { 'if-none-match': '"v1", W/"v0"', 'if-modified-since': 'Sat, 21 Nov 2026 00:00:00 GMT' } });
    expect(told).toMatchObject({ status: 304, text: '', headers: { etag: '"v1"', 'cache-control': 'private' } });
    expect(upstream.seen).toMatchObject([
      { headers: { 'if-none-match': '"v1", W/"v0"', 'if-modified-since': 'Sat, 21 Nov 2026 00:00:00 GMT' } },
    ]);
    upstream.answerWith((_, reply) => reply.writeHead(204).end());
    expect(await send(base, { method: 'DELETE' })).toMatchObject({ status: 204, text: '' });
  });

  test('stay compressed as they came, and parts stay parts', async () => {
    const packed = gzipSync('much text');
    upstream.answerWith((_, reply) =>
      reply.writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length, vary: 'Accept-Encoding' }).end(packed),
    );
    const raw = await converse(`GET ${base} HTTP/1.1\r\n${close}Accept-Encoding: gzip\r\n\r\n`);
    expect(raw).toMatch(/content-encoding: gzip/i);
    expect(raw.endsWith(packed.toString('latin1'))).toBe(true);
    expect(upstream.seen).toMatchObject([{ headers: { 'accept-encoding': 'gzip' } }]);
    upstream.answerWith((_, reply) => reply.writeHead(206, { 'content-range': 'bytes 0-3/9' }).end('much'));
    expect(await send(base, { headers: { range: 'bytes=0-3' } })).toMatchObject({
      status: 206,
      text: 'much',
      headers: { 'content-range': 'bytes 0-3/9' },
    });
  });

  test('come whole when trailers follow, which end here with the connection they belong to', async () => {
    upstream.answerWith((_, reply) => {
      reply.writeHead(200, { trailer: 'x-digest' });
      reply.write('whole');
      reply.addTrailers({ 'x-digest': 'abc' });
      reply.end();
    });
    const told = await converse(`GET ${base} HTTP/1.1\r\n${close}TE: trailers\r\n\r\n`);
    expect(told).toMatch(/whole/);
    expect(told).not.toMatch(/x-digest/i);
  });

  test('may begin with many headers, and are 502 when they are more than anybody reads', async () => {
    upstream.answerWith((_, reply) => reply.writeHead(200, { 'x-large': 'x'.repeat(12_000) }).end('ok'));
    expect((await converse(`GET ${base} HTTP/1.1\r\n${close}\r\n`)).length).toBeGreaterThan(12_000);
    upstream.answerWith((_, reply) => reply.writeHead(200, { 'x-large': 'x'.repeat(40_000) }).end('ok'));
    expect(await send(base)).toMatchObject({ status: 502 });
    upstream.answerWith((_, reply) => reply.end('well again'));
    expect(await send(base, { headers: { 'x-large': 'x'.repeat(12_000) } })).toMatchObject({ status: 200 });
    expect(await send(base, { headers: { 'x-large': 'x'.repeat(40_000) } })).toMatchObject({ status: 431 });
  });

  test.each(['GET', 'POST'])('of %s stop at the resource when the client has gone', async (method) => {
    let closed = 0;
    let written = 0;
    upstream.answerWith((_, reply) => {
      const timer = setInterval(() => {
        written += 1;
        reply.write('x'.repeat(10_000));
      }, 5);
      reply.once('close', () => {
        clearInterval(timer);
        closed += 1;
      });
      reply.writeHead(200).write('x');
    });
    const socket = open();
    socket.write(`${method} ${base} HTTP/1.1\r\n${close}${method === 'POST' ? 'Content-Length: 1\r\n\r\nx' : '\r\n'}`);
    await once(socket, 'data');
    socket.destroy();
    await expect.poll(() => closed, { timeout: 3_000 }).toBe(1);
    expect(written).toBeLessThan(500);
  });

  test.each(['GET', 'POST'])('of %s stop at the resource also when the client had gone before they began', async (method) => {
    let closed = 0;
    const asked = Promise.withResolvers<ServerResponse>();
    upstream.answerWith((_, reply) => {
      reply.once('close', () => {
        closed += 1;
      });
      asked.resolve(reply);
    });
    const socket = open();
    socket.write(`${method} ${base} HTTP/1.1\r\n${close}${method === 'POST' ? 'Content-Length: 1\r\n\r\nx' : '\r\n'}`);
    const reply = await asked.promise;
    const left = once(socket, 'close');
    socket.destroy();
    await left;
    reply.writeHead(200).write('too late');
    await expect.poll(() => closed, { timeout: 3_000 }).toBe(1);
  });
});
