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
