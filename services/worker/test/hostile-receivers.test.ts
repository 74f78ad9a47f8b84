import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { StreamId } from '@grantlog/eventsourcing';
import { consumeOnce, ensureSubscriptions, readEndpointHealth } from '@grantlog/postgres';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openRawServer, type RawServer } from '../../../packages/egress/test/support/raw-server.ts';
import { createDispatcher } from '../src/subscriptions/dispatcher.ts';
import { openHostileReceivers } from './support/hostile-receivers.ts';
import type { Received } from './support/receiver.ts';
import { useScene } from './support/scene.ts';
import type { Watched } from './support/watched-process.ts';
import { platform, secret, until, type World } from './support/world.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const preload = new URL('support/watched-process.ts', import.meta.url).href;
const megabyte = 1024 * 1024;
const types = ['grant.refreshed'];

/** A worker as it runs in production, which tells of itself. */
const startWatched = async (world: World) => {
  const child = fork(main, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: ['--import', preload],
    env: { DATABASE_URL: world.url, PUBLIC_URL: 'http://localhost:4000', OPS_PORT: '0', GRANTLOG_SECRET: secret, LOG_LEVEL: 'fatal' },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const seen: Watched[] = [];
  let opsPort = 0;
  child.on('message', (message: Watched | { readonly kind: 'ready'; readonly opsPort: number }) => {
    if (message.kind === 'watched') seen.push(message);
    else opsPort = message.opsPort;
  });
  await until(
    () => opsPort,
    (port) => port > 0,
  );
  return {
    isAlive: () => child.exitCode === null && child.signalCode === null,
    isReady: async () => (await fetch(`http://127.0.0.1:${opsPort}/readyz`)).ok,
    now: () => seen.at(-1) ?? { addresses: [], rssBytes: 0, longestLagMs: 0 },
    mostRssBytes: () => Math.max(...seen.map(({ rssBytes }) => rssBytes)),
  };
};

type Row = { readonly attempt: number; readonly outcome: string; readonly detail: string; readonly ms: number | null };
const attemptsOf = async (world: World, endpoint: StreamId): Promise<readonly Row[]> => {
  const { rows } = await world.pool.query<Row>('select attempt, outcome, detail, duration_ms as ms from attempt where endpoint = $1', [
    endpoint,
  ]);
  return rows;
};
const healthOf = (world: World, endpoint: StreamId) => readEndpointHealth(world.pool, { platform, endpoint });

/** Milliseconds from the record of an event to its arrival. */
const latencies = (received: readonly Received[]) => {
  const sorted = received.map(({ at, body }) => performance.timeOrigin + at - Date.parse(body.timestamp)).sort((one, other) => one - other);
  const at = (share: number): number => Math.round(sorted[Math.floor(sorted.length * share)] ?? 0);
  return { p50: at(0.5), p95: at(0.95), most: sorted.at(-1) ?? 0 };
};

const openHostiles = async () => {
  const hostiles = await openHostileReceivers();
  onTestFinished(hostiles.close);
  return hostiles;
};

/** Answers so many requests, and keeps each one after that for as long as it may; `silent` has those that it keeps. */
const openTurncoat = async (answered: number, silent: Set<object>): Promise<RawServer> => {
  let left = answered;
  const server = await openRawServer((socket) => {
    socket.on('data', () => {
      left -= 1;
      if (left >= 0) socket.write('HTTP/1.1 204 No Content\r\n\r\n');
      else silent.add(socket);
    });
    socket.on('close', () => silent.delete(socket));
  });
  onTestFinished(server.close);
  return server;
};

/** Has so many events dispatched before anybody sends any of them. */
const dispatchRefreshes = async (world: World, grant: StreamId, events: number): Promise<void> => {
  const dispatcher = createDispatcher({ queue: { wake: async () => {} }, onWakeFailed: () => {} });
  await ensureSubscriptions(world.pool, [dispatcher.name]);
  for (let nth = 0; nth < events; nth += 1) await world.refresh(grant, nth + 2);
  while ((await consumeOnce(world.pool, [dispatcher])).kind === 'consumed');
};

describe('receivers of every hostile kind', () => {
  const scene = useScene();

  test('harm no other endpoint and never the worker', { timeout: 90_000 }, async () => {
    const world = scene.world();
    const hostiles = await openHostiles();
    const good = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const receiver = await scene.receiver();
        return { receiver, endpoint: await world.endpoint({ url: receiver.url, types }) };
      }),
    );
    const grant = await world.grant({ client: await world.client('agent-1') });
    let told = 1;
    const tell = async (events: number): Promise<void> => {
      for (let nth = 0; nth < events; nth += 1) {
        told += 1;
        await world.refresh(grant, told);
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
      await until(
        () => good.map(({ receiver }) => receiver.received.length),
        (counts) => counts.every((count) => count >= told - 1),
        30_000,
      );
    };
    const worker = await startWatched(world);
    await tell(100);
    const alone = { ...latencies(good.flatMap(({ receiver }) => receiver.received)), rss: worker.mostRssBytes() };

    const kinds = [...hostiles.slow, ...hostiles.quick];
    const hostile = await Promise.all(kinds.map(async (kind) => ({ kind, id: (await world.endpoint({ url: kind.url, types })).id })));
    await tell(150);
    // All of theirs has come while these still keep theirs.
    expect(hostiles.slow.map(({ server }) => server?.open() ?? 0)).not.toContain(0);
    const beside = latencies(good.flatMap(({ receiver }) => receiver.received.slice(100)));

    const silences: number[] = [];
    for (const { kind, id } of hostile) {
      const isSlow = hostiles.slow.includes(kind);
      const attempts = await until(
        () => attemptsOf(world, id),
        (found) => found.length >= (isSlow ? 2 : 10),
        30_000,
      );
      expect(new Set(attempts.map(({ outcome }) => outcome)), kind.does).toEqual(new Set([kind.outcome]));
      for (const { detail, ms } of attempts) {
        expect(detail, kind.does).toMatch(kind.detail);
        if (kind.outcome === 'refused') expect(ms).toBeNull();
        // Ten seconds, and what it takes to notice that they are over.
        else expect(ms, kind.does).toBeLessThan(11_000);
      }
      if (isSlow) silences.push(...attempts.map(({ ms }) => ms ?? 0));
      const { failingSince, circuit, consecutiveFailures } = await healthOf(world, id);
      expect(failingSince, kind.does).not.toBeNull();
      // Ten answers in vain take silence much longer than this test, which leaves its circuit to the next one.
      if (isSlow) continue;
      expect(circuit, kind.does).not.toBe('closed');
      expect(consecutiveFailures, kind.does).toBeGreaterThanOrEqual(10);
    }

    for (const { receiver, endpoint } of good) {
      expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(250);
      expect(receiver.received).toHaveLength(250);
      const attempts = await attemptsOf(world, endpoint.id);
      expect(attempts.filter(({ attempt, outcome }) => attempt === 1 && outcome === 'delivered')).toHaveLength(250);
      expect(attempts).toHaveLength(250);
    }
    // Nobody waited for one of those to be over.
    expect(2 * beside.most).toBeLessThan(Math.min(...silences));
    const { addresses, longestLagMs } = worker.now();
    expect(addresses.filter((address) => address !== '127.0.0.1' && address !== '::1')).toEqual([]);
    expect(addresses).toContain('127.0.0.1');
    expect(hostiles.inside.accepted()).toBe(0);
    expect([worker.isAlive(), await worker.isReady()]).toEqual([true, true]);
    const grown = worker.mostRssBytes() - alone.rss;
    expect(grown).toBeLessThan(150 * megabyte);
    process.stdout.write(
      `beside ${kinds.length} hostile receivers: p50 ${alone.p50} → ${beside.p50} ms, p95 ${alone.p95} → ${beside.p95} ms, most ${Math.round(beside.most)} ms, ` +
        `memory +${Math.round(grown / megabyte)} MB, longest stand of the event loop ${longestLagMs} ms\n`,
    );
  });

  test('that never come to an end open their circuits as well, and are looked at one at a time', async () => {
    const world = scene.world();
    const { slow } = await openHostiles();
    const receiver = await scene.receiver();
    await world.endpoint({ url: receiver.url, types });
    const ids = await Promise.all(slow.map(async ({ url }) => (await world.endpoint({ url, types })).id));
    const grant = await world.grant({ client: await world.client('agent-1') });
    for (let nth = 2; nth < 32; nth += 1) await world.refresh(grant, nth);
    const worker = await scene.worker({ egress: { totalTimeoutMs: 200 } });
    for (const [index, id] of ids.entries()) {
      const health = await until(
        () => healthOf(world, id),
        ({ circuit }) => circuit !== 'closed',
      );
      expect(health.consecutiveFailures).toBeGreaterThanOrEqual(10);
      const attempts = await attemptsOf(world, id);
      expect(new Set(attempts.map(({ detail }) => detail))).toEqual(new Set(['The server did not answer in time']));
      // One goes out after each pause.
      expect(slow[index]?.server?.accepted()).toBeLessThan(15);
    }
    expect(receiver.received).toHaveLength(30);
    expect(worker.errors).toEqual([]);
  });

  test('that answer well until they get a hundred at once, and then fall silent together, keep nobody else waiting', async () => {
    const world = scene.world();
    const silent = new Set<object>();
    const turncoats = await Promise.all(Array.from({ length: 12 }, () => openTurncoat(110, silent)));
    for (const { url } of turncoats) await world.endpoint({ url, types, concurrency: 100 });
    const receiver = await scene.receiver();
    await world.endpoint({ url: receiver.url, types: ['grant.revoked'] });
    const grant = await world.grant({ client: await world.client('agent-1') });
    await dispatchRefreshes(world, grant, 220);
    const worker = await scene.worker({ egress: { totalTimeoutMs: 10_000 } });
    await until(
      () => silent.size,
      (count) => count >= 740,
    );
    await world.revoke(grant);
    await until(
      () => receiver.received.length,
      (count) => count === 1,
    );
    // All of theirs are still under way.
    expect(silent.size).toBeGreaterThanOrEqual(740);
    expect(worker.errors).toEqual([]);
  });
});
