import { createServer } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createAuthority } from '../../../test/support/certificates.ts';
import type { ResolvedAddress, Resolver } from '../src/index.ts';
import { answering } from './support/behaviours.ts';
import { besideOthers } from './support/meet.ts';
import { openOver } from './support/raw-server.ts';
import { egress, seesClose, serve, told, wellBehaved } from './support/suite.ts';

const at = (...addresses: readonly string[]): readonly ResolvedAddress[] =>
  addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

/** Answers differently each time, and the last way from then on. */
const changing = (...answers: readonly (readonly ResolvedAddress[])[]): Resolver & { readonly asked: () => number } => {
  let asked = 0;
  const resolve = async (): Promise<readonly ResolvedAddress[]> => {
    asked += 1;
    return answers[Math.min(asked, answers.length) - 1] ?? [];
  };
  return Object.assign(resolve, { asked: () => asked });
};

describe('a redirect is an answer, and nobody follows it (CV-63):', () => {
  test.each([301, 302, 303, 307, 308])('%d', async (status) => {
    const inside = await serve(wellBehaved);
    for (const location of ['http://169.254.169.254/latest/meta-data/', inside.url, inside.url.replace('127.0.0.1', 'localhost')]) {
      const server = await serve(answering(`HTTP/1.1 ${status} Away\r\nlocation: ${location}\r\ncontent-length: 0\r\n\r\n`));
      const outcome = await besideOthers(egress(), { url: server.url, method: 'POST', body: 'secret' });
      expect(outcome).toMatchObject({ kind: 'response', status, headers: { location } });
    }
    expect(inside.accepted()).toBe(0);
  });
});

describe('a name', () => {
  test('that leads elsewhere by the next look-up leads nowhere (CV-62)', async () => {
    const inside = await serve(wellBehaved);
    const resolve = changing(at('192.0.2.1'), at('127.0.0.1'), at('::1', '127.0.0.1'));
    const client = egress({ allowLoopback: false, resolve });
    for (let nth = 0; nth < 3; nth += 1) {
      const request = { url: `https://rebind.example:8443/${inside.port}`, method: 'GET' } as const;
      expect(told(await client.request(request))).toBe('address_not_allowed');
    }
    expect(resolve.asked()).toBe(3);
    expect(inside.accepted()).toBe(0);
  });

  test('that has public addresses besides internal ones is reached at the public ones alone', async () => {
    const inside = await serve(wellBehaved);
    // Loopback stands for the public ones here.
    const resolve = changing(at('10.0.0.1', '169.254.169.254', 'fd00::1', '127.0.0.1', '::ffff:127.0.0.1'));
    const url = inside.url.replace('127.0.0.1', 'mixed.localhost');
    expect(told(await egress({ resolve }).request({ url, method: 'GET' }))).toBe(200);
    expect(resolve.asked()).toBe(1);
  });

  test('is looked up once for a connection, and what is asked later cannot move it', async () => {
    const inside = await serve(wellBehaved);
    const resolve = changing(at('127.0.0.1'), at('10.0.0.1'));
    const client = egress({ resolve });
    const request = { url: inside.url.replace('127.0.0.1', 'moving.localhost'), method: 'GET' } as const;
    expect([told(await client.request(request)), told(await client.request(request))]).toEqual([200, 200]);
    expect([resolve.asked(), inside.accepted()]).toEqual([1, 1]);
    await inside.close();
    // Until the client has seen it, too.
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(told(await client.request(request))).toBe('address_not_allowed');
  });

  test('that nobody answers for is not waited for longer than for anything else (WH-12)', async () => {
    const client = egress({ resolve: () => new Promise(() => undefined) });
    const outcome = await besideOthers(client, { url: 'https://silent.example/', method: 'GET' });
    expect(told(outcome)).toBe('timeout');
  });

  test.each(['ENOTFOUND', 'EAI_AGAIN', 'ESERVFAIL'])('that does not resolve (%s) is told by its kind alone (WH-12)', async (code) => {
    const error = Object.assign(new Error(`getaddrinfo ${code} db.internal`), { code, syscall: 'getaddrinfo', hostname: 'db.internal' });
    const outcome = await besideOthers(egress({ resolve: () => Promise.reject(error) }), { url: 'https://db.internal/', method: 'GET' });
    expect(told(outcome)).toBe('dns');
    expect(JSON.stringify(outcome)).not.toContain('internal');
  });

  test.each([
    ['no address', []],
    ['what is no address', [{ address: 'localhost', family: 4 }]],
    ['an address of the wrong family', [{ address: '127.0.0.1', family: 6 }]],
  ] satisfies [string, readonly ResolvedAddress[]][])('that resolves to %s ends in an outcome', async (_, found) => {
    const client = egress({ allowLoopback: false, resolve: async () => found });
    expect(told(await client.request({ url: 'https://odd.example/', method: 'GET' }))).toBe('address_not_allowed');
  });

  test('whose resolver throws at once ends in an outcome', async () => {
    const client = egress({
      resolve: () => {
        throw new Error('out of order');
      },
    });
    expect((await client.request({ url: 'https://odd.example/', method: 'GET' })).kind).toBe('failed');
  });
});

test('a connection that the operator excepted serves nobody who asks by another name', async () => {
  const authority = createAuthority();
  const server = await openOver(createServer(authority.issue(['localhost', 'a.localhost'])), wellBehaved);
  onTestFinished(server.close);
  const client = egress({ allowLoopback: false, exceptions: [`localhost:${server.port}`], ca: authority.pem, totalTimeoutMs: 2_000 });
  expect(told(await client.request({ url: `https://localhost:${server.port}/`, method: 'GET' }))).toBe(200);
  expect(told(await client.request({ url: `https://a.localhost:${server.port}/`, method: 'GET' }))).toBe('address_not_allowed');
  await client.close();
  await seesClose(server);
});
