import {
  claimDeliveries,
  consumeOnce,
  type EndpointLane,
  ensureSubscriptions,
  firstLane,
  recordAttempts,
  releaseClaims,
} from '@grantlog/postgres';
import { describe, expect, inject, test } from 'vitest';
import { createDispatcher } from '../src/subscriptions/dispatcher.ts';
import { deliverLane } from '../src/webhooks/deliver.ts';
import { useScene } from './support/scene.ts';
import { wipe } from './support/wipe.ts';
import { backends, states } from './support/worker.ts';
import { platform, until } from './support/world.ts';

describe.each(backends)('with the queue on %s', (backend) => {
  const scene = useScene(backend);

  test('500 deliveries all arrive once though the queue is wiped again and again', async () => {
    const world = scene.world();
    const receiver = await scene.receiver(() => ({ status: 200, delayMs: 4 }));
    const client = await world.client('agent-1');
    for (let n = 0; n < 5; n += 1) await world.endpoint({ url: `${receiver.url}/${n}`, concurrency: 2 });
    await scene.worker();
    const grants: Promise<unknown>[] = [];
    for (let n = 0; n < 50; n += 1) {
      grants.push(world.grant({ client }));
      if (n % 10 === 0) await wipe(backend, world, inject('redisUrl'));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await Promise.all(grants);
    await until(
      () => states(world),
      (found) => found['delivered'] === 500,
      40_000,
    );
    expect(receiver.received).toHaveLength(500);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(500);
  });

  test('without a single wake-up the sweeper alone delivers everything', async () => {
    const world = scene.world();
    const receiver = await scene.receiver();
    const client = await world.client('agent-1');
    await world.endpoint({ url: receiver.url });
    const away = { wake: () => Promise.reject(new Error('the queue is away')) };
    await scene.worker({ subscriptions: [createDispatcher({ queue: away, onWakeFailed: () => {} })] });
    for (let n = 0; n < 10; n += 1) await world.grant({ client });
    await until(
      () => states(world),
      (found) => found['delivered'] === 20,
    );
    expect(receiver.received).toHaveLength(20);
  });

  test('doubled and overlapping jobs of one endpoint and lane send nothing twice', async () => {
    const world = scene.world();
    const receiver = await scene.receiver(() => ({ status: 200, delayMs: 3 }));
    const client = await world.client('agent-1');
    const { id } = await world.endpoint({ url: receiver.url, concurrency: 3 });
    const worker = await scene.worker();
    for (let n = 0; n < 60; n += 1) await world.grant({ client });
    await Promise.all(Array.from({ length: 6 }, () => deliverLane(worker.context, { platform: 'arlo' as never, endpoint: id, lane: 1 })));
    await until(
      () => states(world),
      (found) => found['delivered'] === 120,
    );
    expect(receiver.received).toHaveLength(120);
  });
});

describe('a claim', () => {
  const scene = useScene();

  test('that ran out is recorded as a lost attempt, and its late outcome changes nothing', async () => {
    const world = scene.world();
    const receiver = await scene.receiver((_, nth) => ({ status: nth === 1 ? 500 : 200, delayMs: nth === 1 ? 600 : 0 }));
    const client = await world.client('agent-1');
    await world.endpoint({ url: receiver.url, types: ['grant.authorized'] });
    await scene.worker();
    await world.grant({ client });
    await until(
      () => receiver.received.length,
      (count) => count === 1,
    );
    // The sender hangs past its claim; the sweeper hands the delivery to somebody else meanwhile.
    await world.pool.query(`update delivery set claimed_until = now() - interval '1 second' where state = 'claimed'`);
    await until(
      () => states(world),
      (found) => found['delivered'] === 1,
    );
    await new Promise((resolve) => setTimeout(resolve, 800));
    const { rows } = await world.pool.query('select attempt, outcome from attempt order by attempt');
    expect(rows).toEqual([
      { attempt: 1, outcome: 'lost' },
      { attempt: 2, outcome: 'delivered' },
    ]);
    expect(await states(world)).toEqual({ delivered: 1 });
    const { rows: deliveries } = await world.pool.query('select failures from delivery');
    expect(deliveries).toEqual([{ failures: 0 }]);
  });

  test('that was given back cannot be recorded under its number any more', async () => {
    const world = scene.world();
    const client = await world.client('agent-1');
    const { id: endpoint } = await world.endpoint({ url: 'http://127.0.0.1:9/' });
    const dispatcher = createDispatcher({ queue: { wake: async () => {} }, onWakeFailed: () => {} });
    await ensureSubscriptions(world.pool, [dispatcher.name]);
    await world.grant({ client });
    await consumeOnce(world.pool, [dispatcher]);
    const lane: EndpointLane = { platform, endpoint, lane: firstLane };
    const claim = () => claimDeliveries(world.pool, { ...lane, ordered: false, limit: 1, claimMs: 60_000 });
    const [claimed] = await claim();
    if (claimed === undefined) throw new Error('nothing was dispatched');
    await releaseClaims(world.pool, { platform, deliveries: [claimed] });
    const [again] = await claim();
    expect(again).toMatchObject({ id: claimed.id, attempt: claimed.attempt + 1 });
    const health = { anySuccess: true, failures: 0, openAfter: 5, openForMs: { base: 1, most: 1 } };
    const done = { id: claimed.id, outcome: 'delivered', status: 200, detail: '', durationMs: 1, retryInMs: null } as const;
    const late = await recordAttempts(world.pool, { ...lane, health, attempts: [{ ...done, attempt: claimed.attempt }] });
    expect(late.recorded).toBe(0);
    expect(await states(world)).toEqual({ claimed: 1, pending: 1 });
    const own = await recordAttempts(world.pool, { ...lane, health, attempts: [{ ...done, attempt: claimed.attempt + 1 }] });
    expect(own.recorded).toBe(1);
    expect(await states(world)).toEqual({ delivered: 1, pending: 1 });
  });

  test('is given back unsent when its time would not suffice', async () => {
    const world = scene.world();
    const receiver = await scene.receiver(() => ({ status: 200, delayMs: 150 }));
    const client = await world.client('agent-1');
    await world.endpoint({ url: receiver.url, concurrency: 1 });
    await scene.worker({ rules: { claimMs: 12_400, attemptMs: 12_000 } });
    for (let n = 0; n < 5; n += 1) await world.grant({ client });
    await until(
      () => states(world),
      (found) => found['delivered'] === 10,
    );
    expect(receiver.received).toHaveLength(10);
    const { rows } = await world.pool.query(`select 1 from attempt where outcome = 'lost'`);
    expect(rows).toEqual([]);
    const { rows: released } = await world.pool.query('select 1 from delivery where attempt > 1');
    expect(released.length).toBeGreaterThan(0);
  });
});
