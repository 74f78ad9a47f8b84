import type { Socket } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { createDestinations } from '../src/destinations.ts';
import { tellTenant } from '../src/index.ts';
import type { Behaviour } from './support/raw-server.ts';
import { egress, seesClose, serve, told, wellBehaved } from './support/suite.ts';

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Takes a fifth of a second for each answer. */
const slowly: Behaviour = (socket) => {
  socket.on('data', () => setTimeout(() => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'), 200));
};

describe('connections to one server', () => {
  test('carry one request after the other', async () => {
    const server = await serve(wellBehaved);
    const client = egress({ totalTimeoutMs: 5_000 });
    for (let nth = 0; nth < 5; nth += 1) expect(told(await client.request({ url: server.url, method: 'POST', body: 'x' }))).toBe(200);
    expect(server.accepted()).toBe(1);
  });

  test('are no more than agreed, and what waits gets its turn in order', async () => {
    const server = await serve(wellBehaved);
    const client = egress({ connectionsPerOrigin: 2, totalTimeoutMs: 5_000 });
    const order: number[] = [];
    const all = Array.from({ length: 50 }, async (_, nth) => {
      const outcome = await client.request({ url: `${server.url}/${nth}`, method: 'GET' });
      order.push(nth);
      return told(outcome);
    });
    expect(new Set(await Promise.all(all))).toEqual(new Set([200]));
    expect(server.accepted()).toBe(2);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  test('are not used up by requests for which nobody waits any more', async () => {
    const stuck = await serve((socket, nth) => {
      if (nth > 1) wellBehaved(socket, nth);
    });
    const client = egress({ connectionsPerOrigin: 1, totalTimeoutMs: 5_000 });
    const late = await Promise.all(
      // When the time of the first is over, so is that of those behind it.
      [200, 195, 195, 195, 195].map((timeoutMs, nth) => client.request({ url: `${stuck.url}/${nth}`, method: 'GET', timeoutMs })),
    );
    // The server is to blame for the one that it got.
    expect(late.map(told)).toEqual(['timeout', 'crowded', 'crowded', 'crowded', 'crowded']);
    expect(told(await client.request({ url: `${stuck.url}/next`, method: 'GET' }))).toBe(200);
    expect(stuck.accepted()).toBe(2);
    expect(stuck.received().match(/GET \S+/g)).toEqual(['GET /0', 'GET /next']);
  });

  test('are made anew where the server ended an idle one', async () => {
    const server = await serve((socket, nth) => {
      wellBehaved(socket, nth);
      socket.once('data', () => setTimeout(() => socket.end(), 20));
    });
    const client = egress({ totalTimeoutMs: 5_000 });
    for (let nth = 0; nth < 3; nth += 1) {
      expect(told(await client.request({ url: server.url, method: 'POST', body: 'x' }))).toBe(200);
      await after(60);
    }
    expect(server.accepted()).toBe(3);
  });

  test('are let go when they are idle, and used for a minute at most', { timeout: 15_000 }, async () => {
    const server = await serve(wellBehaved);
    const client = egress({ totalTimeoutMs: 5_000 });
    const ask = async () => told(await client.request({ url: server.url, method: 'GET' }));
    const now = performance.now.bind(performance);
    expect([await ask(), await ask(), server.accepted()]).toEqual([200, 200, 1]);
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + 59_000);
    expect([await ask(), server.accepted()]).toEqual([200, 1]);
    clock.mockImplementation(() => now() + 60_001);
    expect([await ask(), server.accepted()]).toEqual([200, 2]);
    clock.mockRestore();
    await expect.poll(server.open, { timeout: 8_000 }).toBe(0);
  });
});

test('what was connected under one guard serves no request of another', () => {
  const destinationOf = createDestinations(new Set(['hooks.internal:443']));
  const ways = [
    destinationOf('https://hooks.example/', true),
    destinationOf('https://hooks.example/', false),
    destinationOf('https://hooks.internal/', false),
  ];
  expect(new Set(ways.map((way) => way.kind === 'ok' && way.key)).size).toBe(3);
  expect(ways.map((way) => way.kind === 'ok' && way.lane)).toEqual(['development', 'public', 'excepted']);
  expect(destinationOf('http://localhost/', true).kind).toBe('ok');
  expect(destinationOf('http://localhost/', false)).toEqual({ kind: 'refused', why: 'address_not_allowed' });
});

describe('sockets of all servers together', () => {
  test('are bounded, and idle ones make room', async () => {
    const servers = await Promise.all(Array.from({ length: 12 }, () => serve(wellBehaved)));
    const client = egress({ maxSockets: 4, totalTimeoutMs: 5_000 });
    const open = () => servers.reduce((sum, server) => sum + server.open(), 0);
    for (const server of servers) {
      expect(told(await client.request({ url: server.url, method: 'GET' }))).toBe(200);
      await expect.poll(open).toBeLessThanOrEqual(4);
    }
    expect(servers.map((server) => server.accepted())).toEqual(servers.map(() => 1));
    expect(servers.at(-1)?.open()).toBe(1);
  });

  test('are shared by servers that are asked more than they can take at once', async () => {
    const servers = await Promise.all(Array.from({ length: 6 }, () => serve(wellBehaved)));
    const client = egress({ maxSockets: 3, connectionsPerOrigin: 3, totalTimeoutMs: 10_000 });
    const all = servers.flatMap((server) => Array.from({ length: 20 }, () => client.request({ url: server.url, method: 'GET' })));
    expect(new Set((await Promise.all(all)).map(told))).toEqual(new Set([200]));
  });

  test('are not kept by a busy server while another has none', async () => {
    const [busy, other] = [await serve(wellBehaved), await serve(wellBehaved)];
    const client = egress({ maxSockets: 1, totalTimeoutMs: 10_000 });
    let isOver = false;
    const keepBusy = async (): Promise<void> => {
      while (!isOver) await client.request({ url: busy.url, method: 'GET' });
    };
    const work = [keepBusy(), keepBusy(), keepBusy()];
    await after(50);
    const outcome = await client.request({ url: other.url, method: 'GET' });
    isOver = true;
    await Promise.all(work);
    expect(told(outcome)).toBe(200);
  });

  test('go to a server that waits for several as soon as there are several', async () => {
    const silent = await serve(() => undefined);
    const together: Socket[] = [];
    const company = await serve((socket) => {
      together.push(socket);
      if (together.length === 3) for (const each of together) each.write('HTTP/1.1 204 No Content\r\n\r\n');
    });
    const client = egress({ maxSockets: 3, totalTimeoutMs: 3_000 });
    const ask = (url: string, timeoutMs: number) => [1, 2, 3].map(() => client.request({ url, method: 'GET', timeoutMs }));
    const holding = ask(silent.url, 200);
    expect((await Promise.all(ask(company.url, 3_000))).map(told)).toEqual([204, 204, 204]);
    expect((await Promise.all(holding)).map(told)).toEqual(['timeout', 'timeout', 'timeout']);
  });

  test('are kept again when nobody waits for one any more', async () => {
    const [kept, other] = [await serve(slowly), await serve(wellBehaved)];
    const client = egress({ maxSockets: 1, totalTimeoutMs: 5_000 });
    const first = client.request({ url: kept.url, method: 'GET' });
    expect(told(await client.request({ url: other.url, method: 'GET', timeoutMs: 60 }))).toBe('crowded');
    expect([told(await first), told(await client.request({ url: kept.url, method: 'GET' }))]).toEqual([200, 200]);
    expect(kept.accepted()).toBe(1);
  });

  test('where there is none in time, that is told as our failure and not the server’s', async () => {
    const [silent, other] = [await serve(() => undefined), await serve(wellBehaved)];
    const client = egress({ maxSockets: 1, totalTimeoutMs: 5_000 });
    const holding = client.request({ url: silent.url, method: 'GET', timeoutMs: 1_500 });
    const outcome = await client.request({ url: other.url, method: 'GET', timeoutMs: 200 });
    expect(told(outcome)).toBe('crowded');
    expect(tellTenant(outcome)).toBe('Too many other requests were under way, and this one was not sent');
    expect(told(await holding)).toBe('timeout');
    expect(told(await client.request({ url: other.url, method: 'GET' }))).toBe(200);
    expect(other.accepted()).toBe(1);
  });

  test('are given back by whatever never connected', async () => {
    const good = await serve(wellBehaved);
    const gone = await serve(wellBehaved);
    await gone.close();
    const never = egress({ maxSockets: 1, totalTimeoutMs: 5_000, resolve: () => new Promise(() => undefined) });
    for (let nth = 0; nth < 3; nth += 1) {
      expect(told(await never.request({ url: 'https://stuck.example/', method: 'GET', timeoutMs: 100 }))).toBe('timeout');
      expect(told(await never.request({ url: gone.url, method: 'GET' }))).toBe('connect');
      expect(told(await never.request({ url: good.url, method: 'GET' }))).toBe(200);
    }
  });
});

describe('a request may ask for less than the client grants', () => {
  test('time, and never more', async () => {
    const silent = await serve(() => undefined);
    const took = async (timeoutMs: number): Promise<number> => {
      const outcome = await egress({ totalTimeoutMs: 600 }).request({ url: silent.url, method: 'GET', timeoutMs });
      expect(told(outcome)).toBe('timeout');
      return outcome.kind === 'failed' ? outcome.durationMs : 0;
    };
    const [short, long] = [await took(100), await took(60_000)];
    expect(Number.isInteger(short) && Number.isInteger(long)).toBe(true);
    expect(short).toBeGreaterThanOrEqual(100);
    expect(short).toBeLessThan(600);
    expect(long).toBeGreaterThanOrEqual(600);
  });

  test('bytes, and never more', async () => {
    const server = await serve((socket) => socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(3_000)}`)));
    const kept = async (maxResponseBytes: number): Promise<number> => {
      const client = egress({ maxResponseBytes: 2_000 });
      const outcome = await client.request({ url: server.url, method: 'GET', maxResponseBytes });
      expect(outcome).toMatchObject({ kind: 'response', truncated: true });
      return outcome.kind === 'response' ? outcome.body.length : 0;
    };
    expect([await kept(10), await kept(0), await kept(1_000_000)]).toEqual([10, 0, 2_000]);
    await seesClose(server);
  });
});

test('a caller’s signal ends a request wherever it is, and leaves nothing behind', async () => {
  const server = await serve(() => undefined);
  const client = egress({ connectionsPerOrigin: 1, totalTimeoutMs: 10_000 });
  const caller = new AbortController();
  const all = [1, 2, 3].map(() => client.request({ url: server.url, method: 'GET', signal: caller.signal }));
  await after(50);
  caller.abort();
  expect((await Promise.all(all)).map(told)).toEqual(['other', 'other', 'other']);
  expect(told(await client.request({ url: server.url, method: 'GET', signal: caller.signal }))).toBe('other');
  await seesClose(server);
  expect(server.accepted()).toBe(1);
});

test('a request that its caller ended while it waited is never sent', async () => {
  const server = await serve(slowly);
  const client = egress({ connectionsPerOrigin: 1, totalTimeoutMs: 5_000 });
  const caller = new AbortController();
  const first = client.request({ url: `${server.url}/first`, method: 'GET' });
  const ended = client.request({ url: `${server.url}/ended`, method: 'GET', signal: caller.signal });
  const last = client.request({ url: `${server.url}/last`, method: 'GET' });
  caller.abort();
  expect((await Promise.all([first, ended, last])).map(told)).toEqual([200, 'other', 200]);
  expect(server.received().match(/GET \S+/g)).toEqual(['GET /first', 'GET /last']);
});
