import { createEgress } from '@grantlog/egress';
import { OAuthError } from '@grantlog/protocol';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createAuthority } from '../../../../test/support/certificates.ts';
import { openSite } from '../../../../test/support/site.ts';
import { createDocumentCache } from '../../src/metadata-documents/cached-document.ts';

const authority = createAuthority();
const site = await openSite(authority);
const egress = createEgress({ allowLoopback: false, exceptions: [site.destination], ca: authority.pem, totalTimeoutMs: 400 });
afterAll(async () => {
  await egress.close();
  await site.goDown();
});

let now: number;
let path: string;
let url: string;
beforeEach(() => {
  now = Date.now();
  path = `/${crypto.randomUUID()}`;
  url = `${site.origin}${path}`;
});
const later = (seconds: number): void => {
  now += seconds * 1000;
};
const asked = (of = path): number => site.asked.filter((each) => each === of).length;

const createCache = (options: { readonly maxEntries?: number; readonly staleSeconds?: number } = {}) =>
  createDocumentCache({
    egress,
    floorSeconds: 60,
    ceilingSeconds: 3_600,
    maxEntries: 100,
    maxBytes: 2_000,
    now: () => now,
    read: (json) => {
      const { name } = json as { readonly name?: unknown };
      if (typeof name !== 'string') throw new OAuthError('invalid_client_metadata', { description: 'The document has no name' });
      return name;
    },
    ...options,
  });
const plainly = { allowLoopback: false } as const;
const serve = (name: string, headers: Readonly<Record<string, string>> = {}, at = path): void => void site.describe(at, { name }, headers);

describe('a document', () => {
  test('is fetched once for a thousand who ask at the same time (MC-15)', async () => {
    serve('Robot');
    const { get } = createCache();
    const found = await Promise.all(Array.from({ length: 1_000 }, () => get(url, plainly)));
    expect(new Set(found.map((each) => each.outcome === 'document' && each.value))).toEqual(new Set(['Robot']));
    expect(asked()).toBe(1);
  });

  test.each([
    ['no-store', 60],
    ['no-cache, max-age=900', 60],
    ['max-age=5', 60],
    ['max-age=0', 60],
    ['public, max-age=900', 900],
    ['max-age="900"', 900],
    ['max-age=5, s-maxage=900', 900],
    ['max-age=864000', 3_600],
    ['max-age=later', 60],
    ['', 60],
  ])('with cache-control %j is kept for %i seconds, within the bounds (MC-16)', async (header, seconds) => {
    serve('One', { 'cache-control': header });
    const { get } = createCache();
    await get(url, plainly);
    later(seconds - 1);
    await get(url, plainly);
    expect(asked()).toBe(1);
    later(1);
    serve('Two');
    expect(await get(url, plainly)).toMatchObject({ outcome: 'document', value: 'Two', fetchedAt: now });
    expect(asked()).toBe(2);
  });

  test('is not kept for longer than it was elsewhere before', async () => {
    serve('One', { 'cache-control': 'max-age=900', age: '800' });
    const { get } = createCache();
    await get(url, plainly);
    later(100);
    await get(url, plainly);
    expect(asked()).toBe(2);
  });

  test('with Expires is kept by the clock of its site', async () => {
    serve('One', { date: 'Mon, 01 Jan 2024 00:00:00 GMT', expires: 'Mon, 01 Jan 2024 00:10:00 GMT' });
    const { get } = createCache();
    await get(url, plainly);
    later(599);
    await get(url, plainly);
    expect(asked()).toBe(1);
    later(1);
    await get(url, plainly);
    expect(asked()).toBe(2);
  });

  test('makes room for others when it was not used for longest, and failures make none', async () => {
    const { get } = createCache({ maxEntries: 2 });
    const paths = ['a', 'b', 'c'].map((name) => `${path}-${name}`);
    for (const each of paths) serve(each, {}, each);
    const [a, b, c] = paths.map((each) => `${site.origin}${each}`) as [string, string, string];
    for (const each of [a, b, a]) await get(each, plainly);
    for (let n = 0; n < 5; n += 1) await get(`${url}-missing-${n}`, plainly);
    await get(a, plainly);
    expect(paths.map((each) => asked(each))).toEqual([1, 1, 0]);
    for (const each of [c, a, b]) await get(each, plainly);
    expect(paths.map((each) => asked(each))).toEqual([1, 2, 1]);
  });

  test('is fetched anew for whoever misses something in it, but not before the floor has passed', async () => {
    serve('One', { 'cache-control': 'max-age=900' });
    const { get } = createCache();
    const first = await get(url, plainly);
    const { fetchedAt } = first as Extract<typeof first, { readonly outcome: 'document' }>;
    serve('Two', { 'cache-control': 'max-age=900' });
    expect(await get(url, { ...plainly, newerThan: fetchedAt })).toMatchObject({ value: 'One' });
    later(60);
    const crowd = await Promise.all(Array.from({ length: 50 }, () => get(url, { ...plainly, newerThan: fetchedAt })));
    expect(crowd.every((each) => each.outcome === 'document' && each.value === 'Two')).toBe(true);
    expect(asked()).toBe(2);
  });

  test('is not shared between those who may ask this machine and those who may not', async () => {
    const open = createEgress({ allowLoopback: true });
    const { createServer } = await import('node:http');
    const server = createServer((_, reply) => reply.writeHead(200, { 'content-type': 'application/json' }).end('{"name":"Inside"}'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const inside = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`;
    const { get } = createDocumentCache({
      egress: open,
      floorSeconds: 60,
      ceilingSeconds: 60,
      maxEntries: 10,
      read: (json) => json,
    });
    expect(await get(inside, { allowLoopback: true })).toMatchObject({ outcome: 'document' });
    expect(await get(inside, { allowLoopback: false })).toMatchObject({ outcome: 'unavailable', why: 'The server could not be reached' });
    await open.close();
    server.close();
  });
});

describe('a failure', () => {
  test('is told to a crowd for five seconds, is not kept, and a repaired site is seen', async () => {
    site.answer(path, (_, reply) => reply.writeHead(500).end());
    const { get } = createCache();
    for (let n = 0; n < 5; n += 1)
      expect(await get(url, plainly)).toMatchObject({ outcome: 'unavailable', why: 'The server answered with status 500' });
    expect(asked()).toBe(1);
    serve('Robot');
    later(5);
    expect(await get(url, plainly)).toMatchObject({ value: 'Robot' });
  });

  test('ends what was good before, unless the owner of the cache lets it stand in', async () => {
    serve('Robot');
    const [strict, lenient] = [createCache(), createCache({ staleSeconds: 600 })];
    await Promise.all([strict.get(url, plainly), lenient.get(url, plainly)]);
    site.answer(path, (_, reply) => reply.writeHead(500).end());
    later(61);
    expect(await strict.get(url, plainly)).toMatchObject({ outcome: 'unavailable' });
    expect(await lenient.get(url, plainly)).toMatchObject({ value: 'Robot' });
    later(600);
    expect(await lenient.get(url, plainly)).toMatchObject({ outcome: 'unavailable' });
  });

  test.each([
    ['redirects', 302, { location: '/elsewhere' }, '', 'redirects'],
    ['is HTML', 200, { 'content-type': 'text/html' }, '<html>', 'application/json'],
    ['has no type', 200, {}, '{"name":"Robot"}', 'application/json'],
    ['is no JSON', 200, { 'content-type': 'application/json' }, '{"name":', 'not valid JSON'],
    ['is not UTF-8', 200, { 'content-type': 'application/json' }, Buffer.from([0x22, 0xff, 0x22]), 'not valid JSON'],
    ['is too long', 200, { 'content-type': 'application/json' }, `{"name":"${'a'.repeat(2_000)}"}`, 'longer than 2000 bytes'],
    ['is partial', 206, { 'content-type': 'application/json' }, '{"name":"Robot"}', 'status 206'],
    ['is missing', 404, { 'content-type': 'application/json' }, '{"name":"Robot"}', 'status 404'],
    ['is not accepted', 200, { 'content-type': 'application/json' }, '{}', 'has no name'],
  ] as const)('is what a document comes to that %s (MC-13)', async (_, status, headers, body, why) => {
    site.answer(path, (_request, reply) => reply.writeHead(status, headers).end(body));
    expect(await createCache().get(url, plainly)).toMatchObject({ outcome: 'unavailable', why: expect.stringContaining(why) });
    expect(asked('/elsewhere')).toBe(0);
  });

  test('is what a document comes to that never ends, or never begins (MC-13)', async () => {
    site.answer(path, (_, reply) => {
      reply.writeHead(200, { 'content-type': 'application/json' });
      const drip = setInterval(() => reply.write(' '), 20);
      reply.on('close', () => clearInterval(drip));
    });
    expect(await createCache().get(url, plainly)).toMatchObject({ outcome: 'unavailable', why: 'The server did not answer in time' });
    site.answer(`${path}-silent`, () => undefined);
    expect(await createCache().get(`${url}-silent`, plainly)).toMatchObject({
      outcome: 'unavailable',
      why: 'The server did not answer in time',
    });
  });

  test('reads the same for every address that is not public, and for a name that nobody has (MC-14)', async () => {
    const { get } = createCache();
    const hosts = [
      '10.0.0.1',
      '127.0.0.1',
      '169.254.169.254',
      '[::1]',
      '[::ffff:10.0.0.1]',
      '[64:ff9b::a00:1]',
      '[2002:a00:1::1]',
      'nobody.invalid',
    ];
    const told = await Promise.all(hosts.map((host) => get(`https://${host}/client`, plainly)));
    expect(new Set(told.map((each) => (each.outcome === 'unavailable' ? each.why : each.outcome)))).toEqual(
      new Set(['The server could not be reached']),
    );
  });

  test('of one who may not ask is nobody else’s', async () => {
    serve('Robot');
    const { get } = createCache();
    const refused = { ...plainly, admit: async () => 'Not you' };
    const admitted: string[] = [];
    const welcome = {
      ...plainly,
      admit: async () => {
        admitted.push('asked');
        return null;
      },
    };
    const [first, ...others] = await Promise.all([get(url, refused), ...Array.from({ length: 20 }, () => get(url, welcome))]);
    expect(first).toMatchObject({ outcome: 'unavailable', why: 'Not you' });
    expect(others.every((each) => each?.outcome === 'document')).toBe(true);
    expect([admitted.length, asked()]).toEqual([1, 1]);
    // What is at hand is answered without asking whether it may be fetched.
    expect(await get(url, refused)).toMatchObject({ value: 'Robot' });
  });

  test('of the reader is everybody’s to see, and is not kept', async () => {
    serve('Robot');
    let broken = true;
    const { get } = createDocumentCache({
      egress,
      floorSeconds: 60,
      ceilingSeconds: 60,
      maxEntries: 10,
      read: (json) => {
        if (broken) throw new TypeError('a defect');
        return json;
      },
    });
    await expect(get(url, plainly)).rejects.toThrow('a defect');
    broken = false;
    expect(await get(url, plainly)).toMatchObject({ outcome: 'document' });
  });
});
