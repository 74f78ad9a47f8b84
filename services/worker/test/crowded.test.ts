import type { StreamId } from '@grantlog/eventsourcing';
import { readEndpointHealth } from '@grantlog/postgres';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openRawServer } from '../../../packages/egress/test/support/raw-server.ts';
import { useScene } from './support/scene.ts';
import { states } from './support/worker.ts';
import { platform, until, type World } from './support/world.ts';

const types = ['grant.refreshed'];

/** Answers nothing until it is let go, and everything from then on. */
const openFullServer = async () => {
  const held: (() => void)[] = [];
  let isFull = true;
  const server = await openRawServer((socket) => {
    const answer = (): void => void socket.write('HTTP/1.1 204 No Content\r\n\r\n');
    socket.on('data', () => {
      if (isFull) held.push(answer);
      else answer();
    });
  });
  onTestFinished(server.close);
  const letGo = (): void => {
    isFull = false;
    for (const answer of held) answer();
  };
  return { ...server, letGo };
};

const workOf = async (world: World, endpoint: StreamId) => {
  const { rows } = await world.pool.query<{ epoch: number; tries: number }>(
    `select w.epoch, (select coalesce(sum(d.attempt + d.failures), 0)::int from delivery d where d.endpoint = w.endpoint)
       + (select count(*)::int from attempt a where a.endpoint = w.endpoint) as tries
     from endpoint_work w where w.endpoint = $1`,
    [endpoint],
  );
  return rows[0];
};

describe('a webhook that is not sent because its server is full', () => {
  const scene = useScene();

  test('costs its endpoint nothing, keeps nobody waiting, and is sent once there is room', async () => {
    const world = scene.world();
    const full = await openFullServer();
    const receiver = await scene.receiver();
    const { id } = await world.endpoint({ url: `${full.url}/crowded`, types });
    await world.endpoint({ url: receiver.url, types });
    const worker = await scene.worker({ egress: { connectionsPerOrigin: 1, totalTimeoutMs: 30_000 }, patienceMs: 150, sweepEvery: null });
    const other = worker.egress.request({ url: `${full.url}/other`, method: 'GET' });
    await until(full.accepted, (count) => count === 1);

    const grant = await world.grant({ client: await world.client('agent-1') });
    for (let sequence = 2; sequence < 12; sequence += 1) await world.refresh(grant, sequence);
    await until(
      () => worker.counts.crowded,
      (count) => count > 0,
    );
    await until(
      () => receiver.received.length,
      (count) => count === 10,
    );
    for (let wakes = 0; wakes < 3; wakes += 1) {
      const { crowded } = worker.counts;
      await until(
        async () => {
          await worker.wake({ platform, endpoint: id, lane: 1 });
          return worker.counts.crowded;
        },
        (count) => count > crowded,
      );
    }
    expect(await workOf(world, id)).toMatchObject({ tries: 0 });
    const health = await readEndpointHealth(world.pool, { platform, endpoint: id });
    expect(health).toMatchObject({ consecutiveFailures: 0, failingSince: null, circuit: 'closed', pending: 10 });

    full.letGo();
    expect(await other).toMatchObject({ status: 204 });
    await until(
      async () => {
        await worker.wake({ platform, endpoint: id, lane: 1 });
        return states(world);
      },
      (found) => found['delivered'] === 20,
    );
    expect(await workOf(world, id)).toMatchObject({ tries: 10 });
    expect(worker.errors).toEqual([]);
  });

  test('waits to be looked at again, and is not tried over and over', async () => {
    const world = scene.world();
    const full = await openFullServer();
    const { id } = await world.endpoint({ url: full.url, types, concurrency: 1 });
    // Whoever has no patience at all is told at once.
    const worker = await scene.worker({ egress: { connectionsPerOrigin: 1, totalTimeoutMs: 30_000 }, patienceMs: 1, sweepEvery: null });
    void worker.egress.request({ url: full.url, method: 'GET' });
    await until(full.accepted, (count) => count === 1);
    const grant = await world.grant({ client: await world.client('agent-1') });
    await world.refresh(grant, 2);
    await until(
      () => worker.counts.crowded,
      (count) => count === 1,
    );
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect([worker.counts.crowded, (await workOf(world, id))?.epoch]).toEqual([1, 1]);
  });

  test('is a failure where the endpoint filled it itself with requests that it does not answer', async () => {
    const world = scene.world();
    const full = await openFullServer();
    const { id } = await world.endpoint({ url: full.url, types });
    const worker = await scene.worker({
      egress: { connectionsPerOrigin: 2 },
      patienceMs: 150,
      rules: { circuit: { openAfter: 4, base: 60_000, most: 60_000 } },
    });
    const grant = await world.grant({ client: await world.client('agent-1') });
    for (let sequence = 2; sequence < 12; sequence += 1) await world.refresh(grant, sequence);
    const health = await until(
      () => readEndpointHealth(world.pool, { platform, endpoint: id }),
      ({ circuit }) => circuit === 'open',
    );
    expect(health.consecutiveFailures).toBeGreaterThanOrEqual(4);
    const { rows } = await world.pool.query('select distinct outcome, detail from attempt');
    expect(rows).toEqual([{ outcome: 'unreachable', detail: 'The server did not answer in time' }]);
    expect(worker.errors).toEqual([]);
  });
});
