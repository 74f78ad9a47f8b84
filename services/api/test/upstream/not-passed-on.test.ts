import { type AddressInfo, connect } from 'node:net';
import type { PlatformId } from '@grantlog/eventsourcing';
import { changePlatform } from '@grantlog/provisioning';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { by, createProxyWorld, type ProxyWorld, publicUrl } from './support/proxy-world.ts';

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

describe('what no resource is bothered with', () => {
  test.each(['/..', '/../../oauth/token', '/%2e%2e/secret', '/..;/secret', '/a%2fb', '/a%5cb', '/a\\b', '/a%0d%0ab', '/%00'])(
    'refuses %s below it with 400',
    async (rest) => {
      const told = await send(`${base}${rest}`);
      expect([told.status, JSON.parse(told.text).error]).toEqual([400, 'invalid_request']);
      expect(upstream.seen).toEqual([]);
    },
  );

  test.each(['/acme/apis', '/acme/direct/x', '/acme/x', '/other/stolen/x', '/nobody/api', '/acme/other/api', '/%61cme/api/x', '/Acme/api'])(
    'answers %s with 404, as without upstreams',
    async (path) => {
      const told = await send(path, { method: 'PUT', headers: { 'content-type': 'application/x-nonsense' }, body: 'x' });
      expect([told.status, JSON.parse(told.text)]).toEqual([
        404,
        { error: 'not_found', error_description: 'No such path. GET / lists what is here' },
      ]);
      expect(upstream.seen).toEqual([]);
      expect(world.endpoints).toEqual(['none']);
    },
  );

  test.each(['acme', 'greedy'])('answers another method of a known path of %s with 405 and Allow', async (platform) => {
    expect(await send(`/${platform}/oauth/token`, { method: 'DELETE', headers: { authorization: 'Basic YTpi' } })).toMatchObject({
      status: 405,
      headers: { allow: expect.stringContaining('POST') },
    });
    expect(upstream.seen).toEqual([]);
  });

  // What the headers say is written by the browser, and no page can change it.
  const fetched = (site: string, mode: string, dest: string) => ({
    'sec-fetch-site': site,
    'sec-fetch-mode': mode,
    'sec-fetch-dest': dest,
  });
  const remembered = { authorization: 'Basic YTpi' };
  test.each([
    ['a form', 'POST', fetched('cross-site', 'navigate', 'document')],
    ['a form of a neighbour', 'POST', fetched('same-site', 'navigate', 'document')],
    ['a frame', 'GET', fetched('cross-site', 'navigate', 'iframe')],
    ['a picture', 'GET', fetched('cross-site', 'no-cors', 'image')],
    ['a script without CORS', 'POST', fetched('same-site', 'no-cors', 'empty')],
  ])('refuses Basic that a browser remembers and %s of another origin has it send', async (_, method, headers) => {
    const told = await send(base, { method, headers: { ...remembered, ...headers } });
    expect([told.status, JSON.parse(told.text).error]).toEqual([403, 'access_denied']);
    expect(upstream.seen).toEqual([]);
  });

  test.each([
    ['a link that somebody follows', 'GET', { ...remembered, ...fetched('cross-site', 'navigate', 'document') }],
    ['an address that somebody types', 'GET', { ...remembered, ...fetched('none', 'navigate', 'document') }],
    ['a page of our own', 'POST', { ...remembered, ...fetched('same-origin', 'no-cors', 'empty') }],
    ['a script that CORS lets name its credentials', 'PUT', { ...remembered, ...fetched('cross-site', 'cors', 'empty') }],
    ['a token, which no browser remembers', 'POST', { authorization: 'Bearer x', ...fetched('cross-site', 'no-cors', 'empty') }],
    ['a program', 'DELETE', remembered],
  ])('passes on %s', async (_, method, headers) => {
    expect(await send(base, { method, headers })).toMatchObject({ status: 200 });
  });

  test('refuses a request with two Authorization headers, of which it could pass on one', async () => {
    const socket = connect((world.app.server.address() as AddressInfo).port, '127.0.0.1');
    socket.write(`GET ${base} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer a\r\nAuthorization: Basic YTpi\r\n\r\n`);
    expect((await socket.setEncoding('utf8').toArray()).join('')).toMatch(
      /^HTTP\/1.1 400 .*"error":"invalid_request".*one Authorization header/s,
    );
    expect(upstream.seen).toEqual([]);
  });

  test.each([
    [
      'two lengths',
      'POST',
      base,
      'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /acme/api/x HTTP/1.1\r\nHost: x\r\n\r\n',
    ],
    ['one length twice', 'POST', base, 'Content-Length: 2\r\nContent-Length: 2\r\n\r\nok'],
    ['a coding that nobody knows', 'POST', base, 'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['a folded header', 'GET', base, 'X-Folded: a\r\n b\r\n\r\n'],
    ['a header that ends by a line feed', 'GET', base, 'X-A: a\nX-B: b\r\n\r\n'],
    ['the address of another server', 'GET', `http://evil.example${base}`, '\r\n'],
    ['two slashes before another server', 'GET', `//evil.example${base}`, '\r\n'],
    ['another server behind an @', 'GET', `${base}@evil.example/x`, '\r\n'],
    ['a tunnel', 'CONNECT', '127.0.0.1:5432', '\r\n'],
  ])('lets no request through that says %s', async (_, method, target, rest) => {
    const socket = connect((world.app.server.address() as AddressInfo).port, '127.0.0.1');
    socket.end(`${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${rest}`);
    const told = (await socket.setEncoding('utf8').toArray()).join('');
    // A tunnel is answered by hanging up.
    expect(told).toMatch(/^$|^HTTP\/1\.1 40[04] /);
    expect(told).not.toContain('from the resource');
    expect(upstream.seen).toEqual([]);
  });

  test('answers 503 while the platform is suspended', async () => {
    expect(await send('/paused/api')).toMatchObject({ status: 200 });
    await changePlatform(world.deps.provisioning, by, { platform: 'paused' as PlatformId, command: { type: 'suspend', reason: 'a test' } });
    const told = await send('/paused/api');
    expect([told.status, JSON.parse(told.text).error]).toEqual([503, 'temporarily_unavailable']);
    expect(upstream.seen).toHaveLength(1);
  });
});

describe('a resource that does not answer', () => {
  test('is named as what fails, with 502, and its request in no log', async () => {
    const told = await send('/acme/gone/x?access_token=canary-query&q=1', { headers: { authorization: 'Bearer canary-header' } });
    expect(told.status).toBe(502);
    expect(JSON.parse(told.text)).toEqual({
      error: 'temporarily_unavailable',
      error_description: expect.stringContaining('The resource behind this path does not answer. The authorization server is up'),
    });
    const written = world.lines.join('');
    expect(written).toContain(`the upstream ${world.gone} of the resource ${publicUrl}/acme/gone failed: ECONNREFUSED`);
    expect(written).not.toContain('canary');
  });

  test('is told by 502 when it hangs up', async () => {
    upstream.answerWith((request) => request.socket.destroy());
    expect(await send(base)).toMatchObject({ status: 502 });
    expect(world.lines.join('')).toContain('failed: UND_ERR_SOCKET');
  });

  test.each([
    ['breaks off before the first byte of its body', 'Content-Length: 9\r\n\r\n'],
    ['sends chunks that are none', 'Transfer-Encoding: chunked\r\n\r\nzz\r\n'],
    ['sends a header that is none', 'X-Broken: a\u0001b\r\n\r\n'],
  ])('is told by 502 when it %s, and not as a failure of ours', async (_, rest) => {
    upstream.answerWith((request) => request.socket.end(`HTTP/1.1 200 OK\r\n${rest}`));
    const told = await send(base);
    expect([told.status, JSON.parse(told.text).error]).toEqual([502, 'temporarily_unavailable']);
    expect(world.lines.join('')).not.toContain('request failed');
  });

  test('does not take the server down when it breaks off in the middle of its answer', async () => {
    upstream.answerWith((request, reply) => {
      reply.writeHead(200, { 'content-length': '100' });
      reply.write('half', () => request.socket.destroy());
    });
    await expect(send(base)).rejects.toThrow(/aborted|hang up/);
    upstream.answerWith((_, reply) => reply.end('well again'));
    expect(await send(base)).toMatchObject({ status: 200, text: 'well again' });
  });
});
