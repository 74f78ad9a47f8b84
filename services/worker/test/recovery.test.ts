import { randomUuid } from '@grantlog/crypto';
import { consumeOnce, createPool, ensureSubscriptions, recordAttempts, takeDeliveries } from '@grantlog/postgres';
import { describe, expect, inject, test } from 'vitest';
import { createDispatcher } from '../src/subscriptions/dispatcher.ts';
import { useScene } from './support/scene.ts';
import { wipe } from './support/wipe.ts';
import { anyDelivery, backends, states } from './support/worker.ts';
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
    expect(new Set(receiver.received.map(({ id, path }) => `${path} ${id}`)).size).toBe(500);
    // A message is the same for whoever hears it.
    expect(new Set(receiver.received.map(({ id, text }) => `${id} ${text}`)).size).toBe(100);
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
    await Promise.all(Array.from({ length: 6 }, () => worker.wake({ platform, endpoint: id, lane: 1 })));
    await until(
      () => states(world),
      (found) => found['delivered'] === 120,
    );
    expect(receiver.received).toHaveLength(120);
  });
});

describe('a turn', () => {
  const scene = useScene();
  const soon = { holdMs: 600, renewMs: 200, askMs: 50 };

  test('that ran out is recorded as a lost attempt, and its late outcome changes nothing', async () => {
    const world = scene.world();
    const receiver = await scene.receiver((_, nth) => ({ status: nth === 1 ? 500 : 200, delayMs: nth === 1 ? 600 : 0 }));
    const client = await world.client('agent-1');
    await world.endpoint({ url: receiver.url, types: ['grant.authorized'] });
    const first = await scene.worker();
    await world.grant({ client });
    await until(
      () => receiver.received.length,
      (count) => count === 1,
    );
    // The sender hangs past its turn; another process has it meanwhile.
    await world.pool.query(`update endpoint_work set held_until = now() - interval '1 second', holder = gen_random_uuid()`);
    await until(
      () => states(world),
      (found) => found['delivered'] === 1,
    );
    await new Promise((resolve) => setTimeout(resolve, 800));
    const { rows } = await world.pool.query(
      `select a.attempt, a.outcome from attempt a join ${anyDelivery} d using (platform, endpoint, id) where not d.proves order by a.attempt`,
    );
    expect(rows).toEqual([
      { attempt: 1, outcome: 'lost' },
      { attempt: 2, outcome: 'delivered' },
    ]);
    expect(await states(world)).toEqual({ delivered: 1 });
    expect(first.counts.lost).toBe(1);
    expect(first.errors).toEqual([]);
  });

  test("is nobody else's while its holder says so, and says nothing once it has passed on", async () => {
    const world = scene.world();
    const client = await world.client('agent-1');
    const { id: endpoint } = await world.endpoint({ url: 'http://127.0.0.1:9/' });
    const dispatcher = createDispatcher({ queue: { wake: async () => {} }, onWakeFailed: () => {} });
    await ensureSubscriptions(world.pool, [dispatcher.name]);
    await world.grant({ client });
    await consumeOnce(world.pool, [dispatcher]);
    await world.pool.query('delete from delivery where proves');
    const key = { platform, endpoint };
    const take = { ...key, epoch: 0, room: 1 };
    const [one, other] = [randomUuid(), randomUuid()];
    const takeAs = async (worker: string, holdMs = 60_000) => (await takeDeliveries(world.pool, { worker, holdMs, takes: [take] }))[0];
    const mine = await takeAs(one, 300);
    expect(mine?.deliveries).toHaveLength(1);
    expect(await takeAs(other)).toBeNull();
    await new Promise((resolve) => setTimeout(resolve, 350));
    const theirs = await takeAs(other);
    expect(mine?.lost).toBe(0);
    expect(theirs).toMatchObject({ epoch: (mine?.epoch ?? 0) + 1, lost: 1 });
    expect(theirs?.deliveries[0]).toMatchObject({ id: mine?.deliveries[0]?.id, attempt: 1, failures: 0 });

    const attempt = {
      id: mine?.deliveries[0]?.id ?? '',
      outcome: 'delivered',
      status: 200,
      detail: '',
      beganAt: Date.now(),
      durationMs: 1,
      response: null,
      state: 'delivered',
      retryInMs: null,
    } as const;
    const health = { anySuccess: true, consecutiveFailures: 0, openForMs: null };
    const report = { ...key, attempts: [attempt], health, tokens: null, end: 'stays' } as const;
    const say = async (worker: string, epoch: number) =>
      (await recordAttempts(world.pool, { worker, holdMs: 60_000, reports: [{ ...report, epoch }] }))[0];
    expect(await say(one, mine?.epoch ?? 0)).toBeNull();
    expect((await states(world))['delivered']).toBeUndefined();
    expect(await say(other, theirs?.epoch ?? 0)).toMatchObject({ held: true });
    expect((await states(world))['delivered']).toBe(1);
    // The reply was lost, and it is said once more.
    expect(await say(other, theirs?.epoch ?? 0)).toMatchObject({ held: true });
    // A turn that the same process begins anew is another one.
    const anew = await takeAs(other);
    expect(await say(other, theirs?.epoch ?? 0)).toBeNull();
    expect(await say(other, anew?.epoch ?? 0)).toMatchObject({ held: true });
    const { rows } = await world.pool.query('select outcome from attempt order by attempt');
    expect(rows).toEqual([{ outcome: 'lost' }, { outcome: 'delivered' }]);
  });

  test('of a slow receiver goes on for as long as it takes, and is not taken for dead', async () => {
    const world = scene.world();
    const receiver = await scene.receiver(() => ({ status: 200, delayMs: 1_500 }));
    const client = await world.client('agent-1');
    await world.endpoint({ url: receiver.url, concurrency: 1 });
    await scene.worker({ rules: soon });
    await scene.worker({ rules: soon });
    for (let n = 0; n < 2; n += 1) await world.grant({ client });
    await until(
      () => states(world),
      (found) => found['delivered'] === 4,
    );
    expect(receiver.received).toHaveLength(4);
    expect(receiver.mostAtOnce()).toBe(1);
    const { rows } = await world.pool.query(`select 1 from attempt where outcome = 'lost'`);
    expect(rows).toEqual([]);
  });
});

describe('an endpoint whose secret nobody can open', () => {
  const scene = useScene();

  test('is tried again without an attempt, and harms no other', async () => {
    const world = scene.world();
    const [good, bad] = [await scene.receiver(), await scene.receiver()];
    const client = await world.client('agent-1');
    await world.endpoint({ url: good.url });
    const { id } = await world.endpoint({ url: bad.url });
    const migrator = createPool({ connectionString: world.url, role: 'grantlog_migrate', max: 1 });
    await migrator.query(`alter table credential disable trigger all`);
    await migrator.query(`update credential set sealed = sealed || '\\x00'::bytea where owner = $1`, [id]);
    await migrator.end();
    const worker = await scene.worker();
    await world.grant({ client });
    await until(
      () => good.received.length,
      (count) => count === 2,
    );
    await until(
      async () =>
        (await world.pool.query<{ epoch: number }>('select epoch from endpoint_work where endpoint = $1', [id])).rows[0]?.epoch ?? 0,
      (turns) => turns >= 2,
    );
    expect(worker.errors).toHaveLength(1);
    expect(bad.received).toHaveLength(0);
    expect(await states(world)).toEqual({ delivered: 2, pending: 2 });
    const { rows } = await world.pool.query('select 1 from attempt where endpoint = $1', [id]);
    expect(rows).toEqual([]);
  });
});
