import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { createAuthority } from '../../../test/support/certificates.ts';
import { openSite } from '../../../test/support/site.ts';
import type { EgressOptions, Resolver } from '../src/index.ts';
import { checkDestination, createEgress } from '../src/index.ts';

const authority = createAuthority();
const [site, other] = await Promise.all([openSite(authority), openSite(authority)]);
site.answer('/', (_, reply) => reply.end('hello'));
site.answer('/away', (_, reply) => reply.writeHead(302, { location: `${other.origin}/` }).end());
afterAll(() => Promise.all([site.goDown(), other.goDown()]));

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** An egress of production, where loopback is as closed as every private network. */
const egress = (options: Partial<EgressOptions> = {}) => {
  const client = createEgress({ allowLoopback: false, exceptions: [site.destination], ca: authority.pem, ...options });
  cleanups.push(client.close);
  return client;
};
const told = async (url: string, options: Partial<EgressOptions> = {}) => {
  const outcome = await egress(options).request({ url, method: 'GET' });
  if (outcome.kind === 'response') return outcome.status;
  return outcome.kind === 'refused' ? outcome.why : outcome.reason;
};

describe('a destination that the operator excepts', () => {
  test('is reached by https on its own port, its certificate vouched for by the authority', async () => {
    expect(await told(`${site.origin}/`)).toBe(200);
    expect(await told(`${site.origin.toUpperCase().replace('HTTPS', 'https')}/`)).toBe(200);
  });

  test('is refused without the exception, and not believed without the authority', async () => {
    expect(await told(`${site.origin}/`, { exceptions: [] })).toBe('address_not_allowed');
    expect(await told(`${site.origin}/`, { ca: undefined })).toBe('tls');
  });

  test('opens no other port, no other name of the same address, and no plain http', async () => {
    expect(await told(`${other.origin}/`)).toBe('address_not_allowed');
    expect(await told(`${site.origin.replace('localhost', '127.0.0.1')}/`)).toBe('address_not_allowed');
    expect(await told(`${site.origin.replace('localhost', 'a.localhost')}/`)).toBe('address_not_allowed');
    expect(await told(`${site.origin.replace('https', 'http')}/`)).toBe('address_not_allowed');
    expect(await told(`${site.origin.replace('://', '://me@')}/`)).toBe('credentials_in_url');
    expect(await told('https://localhost/')).toBe('address_not_allowed');
  });

  test('leads nowhere else by a redirect', async () => {
    expect(await told(`${site.origin}/away`)).toBe(302);
    expect(other.asked).toEqual([]);
  });

  test('does not make its authority vouch for anybody else', async () => {
    expect(await told(`${other.origin}/`, { allowLoopback: true })).toBe('tls');
  });

  test('may be configured as the URL of a webhook, and its neighbours may not', async () => {
    const nobody: Resolver = async () => [];
    const exceptions = new Set(['hooks.internal:8080']);
    const judge = (url: string) => checkDestination(url, { allowLoopback: false, exceptions, resolve: nobody });
    expect(await judge('https://hooks.internal:8080/a')).toEqual({ kind: 'ok' });
    expect(await judge('https://hooks.internal/a')).toEqual({ kind: 'refused', why: 'unreachable' });
  });
});

test('asks for no more than two names at once where look-ups wait for each other, and for none that nobody waits for', async () => {
  let underWay = 0;
  let most = 0;
  const asked: string[] = [];
  const slow: Resolver = async (hostname) => {
    asked.push(hostname);
    underWay += 1;
    most = Math.max(most, underWay);
    await new Promise((resolve) => setTimeout(resolve, 150));
    underWay -= 1;
    return [];
  };
  const client = egress({ resolve: slow, looksUpInTurn: true, totalTimeoutMs: 250 });
  await Promise.all(Array.from({ length: 10 }, (_, n) => client.request({ url: `https://a${n}.example/`, method: 'GET' })));
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(most).toBe(2);
  expect(asked.length).toBeLessThan(10);
});
