import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { createProxyWorld, type ProxyWorld, publicUrl } from './support/proxy-world.ts';

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

const valuesOf = ({ raw }: { readonly raw: readonly string[] }, name: string): readonly string[] =>
  raw.flatMap((each, index) => (index % 2 === 0 && each.toLowerCase() === name ? [raw[index + 1] ?? ''] : []));

describe('a request below a resource with an upstream', () => {
  test.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('reaches it by %s, with its query as it was', async (method) => {
    expect(await send(`${base}/things/7/?q=%2F..%2f&token=a+b&token=%zz`, { method })).toMatchObject({
      status: 200,
      text: 'from the resource',
    });
    expect(upstream.seen).toMatchObject([{ method, url: '/own/things/7/?q=%2F..%2f&token=a+b&token=%zz' }]);
    expect(world.endpoints).toEqual(['/:platform/*']);
  });

  test('reaches it by HEAD, also at the URI itself and by a path of many hundred characters', async () => {
    upstream.answerWith((_, reply) => reply.writeHead(200, { 'content-length': '17' }).end());
    expect(await send(base, { method: 'HEAD' })).toMatchObject({ status: 200, text: '', headers: { 'content-length': '17' } });
    upstream.answerWith((_, reply) => reply.end());
    await send(`${base}/${'x'.repeat(1_000)}`);
    expect(upstream.seen.map(({ url }) => url)).toEqual(['/own', `/own/${'x'.repeat(1_000)}`]);
  });

  test('reaches it in host form, where the platform lives on a host, and not under the path', async () => {
    expect(await send('/api/things?x=1', { headers: { host: 'housed.example' } })).toMatchObject({ status: 200 });
    expect(upstream.seen).toMatchObject([
      { url: '/housed/things?x=1', headers: { 'x-forwarded-host': 'housed.example', 'x-forwarded-proto': 'https' } },
    ]);
    expect(await send('/housed/api/things')).toMatchObject({ status: 404 });
    expect(upstream.seen).toHaveLength(1);
  });

  test.each([
    ['application/x-www-form-urlencoded', 'a=1&a=2&password=%00'],
    ['application/json', '{"broken'],
    ['text/xml; charset=iso-8859-1', '<x>\xe9</x>'],
    ['application/x-nonsense', '\x00\xff'],
  ])('keeps a body of %s byte for byte', async (type, body) => {
    const bytes = Buffer.from(body, 'latin1');
    await send(`${base}/things`, { method: 'POST', headers: { 'content-type': type }, body: bytes });
    expect(upstream.seen).toMatchObject([{ body, headers: { 'content-type': type, 'content-length': String(bytes.length) } }]);
  });

  /** Begins a request by hand, and tells everything that comes back until the server closes. */
  const begin = (text: string): { readonly socket: Socket; readonly told: Promise<string> } => {
    const socket = connect((world.app.server.address() as AddressInfo).port, '127.0.0.1');
    socket.write(text);
    return {
      socket,
      told: socket
        .setEncoding('utf8')
        .toArray()
        .then((parts) => parts.join('')),
    };
  };
  const limit = 1_048_576;

  test('keeps a body of one MiB', async () => {
    expect(await send(base, { method: 'PUT', body: Buffer.alloc(limit, 'a') })).toMatchObject({ status: 200 });
    expect(upstream.seen[0]?.body).toHaveLength(limit);
  });

  test('is refused with 413 by the length that it says, before the resource hears of it', async () => {
    let heard = 0;
    const hear = (): void => {
      heard += 1;
    };
    upstream.server.on('request', hear);
    const { told } = begin(`PUT ${base} HTTP/1.1\r\nHost: x\r\nContent-Length: ${limit + 1}\r\n\r\n`);
    expect(await told).toMatch(/^HTTP\/1.1 413 .*"error":"invalid_request".*1 MiB/s);
    upstream.server.off('request', hear);
    expect(heard).toBe(0);
  });

  test('is refused with 413 in the middle of a body that says no length', async () => {
    const { socket, told } = begin(`PUT ${base} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`);
    socket.write(`${(limit + 1).toString(16)}\r\n${'a'.repeat(limit + 1)}\r\n`);
    expect(await told).toMatch(/^HTTP\/1.1 413 .*"error":"invalid_request".*1 MiB/s);
    expect(upstream.seen).toEqual([]);
  });

  test('does not hang the resource when the client goes away in the middle of its body', async () => {
    let ended: () => void = () => {};
    const cut = new Promise<void>((resolve) => {
      ended = resolve;
    });
    upstream.server.once('request', (request: IncomingMessage) => request.once('close', ended));
    const { socket, told } = begin(`PUT ${base} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf`);
    await once(upstream.server, 'request');
    socket.end();
    socket.destroySoon();
    await Promise.allSettled([cut, told]);
    expect(upstream.seen).toEqual([]);
  });
});

describe('the headers of a request', () => {
  test('are the client’s, with its credentials, without cookies, hops and what it may not say', async () => {
    await send(`${base}/x`, {
      headers: {
        authorization: 'Basic YTpi',
        accept: 'text/xml',
        origin: 'https://app.example',
        cookie: 'grantlog-acme-sign-in=secret',
        connection: 'x-for-the-hop, close',
        'x-for-the-hop': 'x',
        te: 'trailers',
        'proxy-authorization': 'Basic secret',
        'x-forwarded-for': '1.2.3.4',
        X_Forwarded_For: '1.2.3.5',
        'x-forwarded-host': 'evil.example',
        forwarded: 'for=1.2.3.4',
        'x-real-ip': '1.2.3.4',
        'x-original-url': '/admin',
        'x-request-id': 'chosen',
        'cf-connecting-ip': '1.2.3.4',
        'x-forwarded': 'for=1.2.3.4',
        proxy: 'http://evil.example',
      },
    });
    const { headers = {} } = upstream.seen[0] ?? {};
    expect(headers).toMatchObject({
      authorization: 'Basic YTpi',
      accept: 'text/xml',
      origin: 'https://app.example',
      host: new URL(upstream.origin).host,
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'localhost:4000',
      'x-forwarded-proto': 'http',
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    for (const name of [
      'cookie',
      'te',
      'x-for-the-hop',
      'proxy-authorization',
      'x_forwarded_for',
      'forwarded',
      'x-real-ip',
      'x-original-url',
      'cf-connecting-ip',
      'x-forwarded',
      'proxy',
    ])
      expect(headers).not.toHaveProperty([name]);
  });

  test('tell the client’s address through a proxy that is trusted, and nothing that stood before it', async () => {
    await send(base, { to: world.trusting, headers: { 'x-forwarded-for': '6.6.6.6, 203.0.113.9, 10.0.0.1' } });
    await send(base, { headers: { 'x-forwarded-for': '6.6.6.6, 203.0.113.9, 10.0.0.1' } });
    expect(upstream.seen.map(({ headers }) => headers['x-forwarded-for'])).toEqual(['203.0.113.9', '127.0.0.1']);
  });
});

describe('the trace of a request that is passed on', () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const named = { traceparent: `00-${traceId}-b7ad6b7169203331-01`, tracestate: 'vendor=x' };

  test('is ours where a stranger names one, and that of a proxy that is trusted, by a span of ours', async () => {
    await send(base, { headers: named });
    await send(base, { to: world.trusting, headers: named });
    const [strange, trusted] = upstream.seen.map(({ headers }) => headers);
    const id = String(strange?.['x-request-id']).replaceAll('-', '');
    expect(strange?.['traceparent']).toBe(`00-${id}-${id.slice(16)}-01`);
    const span = String(trusted?.['x-request-id']).replaceAll('-', '').slice(16);
    expect(trusted?.['traceparent']).toBe(`00-${traceId}-${span}-01`);
    for (const headers of [strange, trusted]) expect(headers).not.toHaveProperty('tracestate');
  });
});

describe('the answer of a resource', () => {
  test('comes with its challenges apart and in order, its CORS, and protection, without cookies and words for our origin', async () => {
    upstream.answerWith((_, reply) =>
      reply
        .writeHead(401, [
          ['WWW-Authenticate', 'Bearer realm="acme", error="invalid_token"'],
          ['WWW-Authenticate', 'Basic realm="acme"'],
          ['Set-Cookie', 'grantlog-acme-sign-in=theirs'],
          ['Clear-Site-Data', '"cookies"'],
          ['Strict-Transport-Security', 'max-age=1'],
          ['X-Accel-Redirect', '/internal/secret'],
          ['X-Sendfile', '/etc/passwd'],
          ['Set-Login', 'logged-out'],
          ['Access-Control-Allow-Origin', 'https://app.example'],
          ['Content-Security-Policy', 'script-src *'],
          ['Content-Type', 'text/xml'],
          ['Connection', 'x-for-the-hop'],
          ['X-For-The-Hop', 'x'],
        ] as never)
        .end('<no/>'),
    );
    const told = await send(`${base}/x`);
    expect(told.status).toBe(401);
    expect(valuesOf(told, 'www-authenticate')).toEqual(['Bearer realm="acme", error="invalid_token"', 'Basic realm="acme"']);
    expect(told.headers).toMatchObject({
      'access-control-allow-origin': 'https://app.example',
      'content-type': 'text/xml',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringMatching(/^sandbox; default-src 'none'/),
    });
    const withheld = ['set-cookie', 'clear-site-data', 'strict-transport-security', 'x-for-the-hop'];
    for (const name of [...withheld, 'x-accel-redirect', 'x-sendfile', 'set-login']) expect(told.headers).not.toHaveProperty([name]);
  });

  test.each([
    ['/own/things/?a=1#b', `${publicUrl}/acme/api/things/?a=1#b`],
    ['{origin}/own', `${publicUrl}/acme/api`],
    ['7', `${publicUrl}/acme/api/things/7`],
    ['{origin}/owner/x', '{origin}/owner/x'],
    ['https://elsewhere.example/own/x', 'https://elsewhere.example/own/x'],
  ])('is not followed when it is a redirect to %s, which leads to %s', async (location, expected) => {
    upstream.answerWith((_, reply) => reply.writeHead(302, { location: location.replace('{origin}', upstream.origin) }).end());
    const told = await send(`${base}/things/6`);
    expect(told).toMatchObject({ status: 302, headers: { location: expected.replace('{origin}', upstream.origin) } });
    expect(upstream.seen).toHaveLength(1);
  });

  test('is 304 without a body, also where it says the length of what it stands for', async () => {
    upstream.answerWith((request) => request.socket.end('HTTP/1.1 304 Not Modified\r\nETag: "7"\r\nContent-Length: 17\r\n\r\n'));
    const told = await send(base, { headers: { 'if-none-match': '"7"' } });
    expect(told).toMatchObject({ status: 304, text: '', headers: { etag: '"7"' } });
    upstream.answerWith((_, reply) => reply.end('changed'));
    expect(await send(base)).toMatchObject({ status: 200, text: 'changed' });
  });

  test('is asked for once, also when it is 503', async () => {
    upstream.answerWith((_, reply) => reply.writeHead(503, { 'retry-after': '0' }).end('busy'));
    expect(await send(base)).toMatchObject({ status: 503, text: 'busy' });
    expect(upstream.seen).toHaveLength(1);
  });
});
