import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { createProxyWorld, type ProxyWorld } from './support/proxy-world.ts';
import { untrustedCertificate } from './support/untrusted-certificate.ts';

/** Long enough for a resource that answers, on a busy machine, and short enough to wait for one that does not. */
const upstreamPatience = 400;
const base = '/acme/api';

let world: ProxyWorld;
let upstream: ProxyWorld['upstream'];
let send: ProxyWorld['send'];
let secure: ReturnType<typeof createServer>;
let heard = 0;
beforeAll(async () => {
  secure = createServer(untrustedCertificate, (_, reply) => {
    heard += 1;
    reply.end('from a stranger');
  });
  await once(secure.listen(0, 'localhost'), 'listening');
  const elsewhere = `https://localhost:${(secure.address() as AddressInfo).port}`;
  world = await createProxyWorld(inject('databaseUrl'), { upstreamPatience, elsewhere });
  ({ upstream, send } = world);
});
afterAll(async () => {
  await world.close();
  secure.close();
});
beforeEach(() => world.reset());

test('a resource that does not begin to answer is given up with 504, and the log says which', async () => {
  upstream.answerWith(() => {});
  const told = await send(`${base}?q=canary`, { headers: { authorization: 'Bearer canary' } });
  expect([told.status, JSON.parse(told.text)]).toEqual([
    504,
    {
      error: 'temporarily_unavailable',
      error_description: expect.stringContaining('took too long to answer. The authorization server is up'),
    },
  ]);
  const written = world.lines.join('');
  expect(written).toContain('failed: UND_ERR_HEADERS_TIMEOUT');
  expect(written).not.toContain('canary');
});

test('an answer that stops coming is cut off, and never passed for a whole one', async () => {
  upstream.answerWith((_, reply) => void reply.writeHead(200).write('half'));
  await expect(send(base)).rejects.toThrow(/aborted|hang up/);
}, 10_000);

test('an answer that keeps coming may take longer than the patience for each piece of it', async () => {
  upstream.answerWith((_, reply) => {
    let left = 8;
    const timer = setInterval(() => {
      left -= 1;
      if (left > 0) return void reply.write('x');
      clearInterval(timer);
      reply.end('!');
    }, upstreamPatience / 4);
  });
  expect(await send(base)).toMatchObject({ status: 200, text: 'xxxxxxx!' });
});

test('an upstream whose certificate nobody vouches for gets no request: 502, and the log says what to do', async () => {
  const told = await send('/acme/elsewhere/x?q=canary', { headers: { authorization: 'Bearer canary' } });
  expect([told.status, JSON.parse(told.text)]).toEqual([
    502,
    {
      error: 'temporarily_unavailable',
      error_description: expect.stringContaining('has a certificate that is not trusted, so nothing was sent to it'),
    },
  ]);
  expect(heard).toBe(0);
  const written = world.lines.join('');
  expect(written).toMatch(/failed: DEPTH_ZERO_SELF_SIGNED_CERT\. Give it a certificate .* NODE_EXTRA_CA_CERTS/);
  expect(written).not.toContain('canary');
});
