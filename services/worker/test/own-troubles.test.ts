import { randomUuid } from '@grantlog/crypto';
import type { StreamId } from '@grantlog/eventsourcing';
import { consumeOnce, ensureSubscriptions } from '@grantlog/postgres';
import { describe, expect, test } from 'vitest';
import { createDispatcher } from '../src/subscriptions/dispatcher.ts';
import { createSparedEndpoints } from '../src/webhooks/spared-endpoints.ts';
import { useScene } from './support/scene.ts';
import { states } from './support/worker.ts';
import { platform, until, type World } from './support/world.ts';

const types = ['grant.refreshed'];

describe('an endpoint that cannot be served through no fault of its own', () => {
  const scene = useScene();
  const refresh = async (world: World, events: number): Promise<void> => {
    const grant = await world.grant({ client: await world.client('agent-1') });
    for (let sequence = 2; sequence < 2 + events; sequence += 1) await world.refresh(grant, sequence);
  };
  const turnsOf = async (world: World, endpoint: StreamId): Promise<number> => {
    const { rows } = await world.pool.query<{ epoch: number }>('select epoch from endpoint_work where endpoint = $1', [endpoint]);
    return rows[0]?.epoch ?? 0;
  };

  test('is tried seldom and told of once while others are served, and at once when its secret has been replaced', async () => {
    const world = scene.world();
    const receiver = await scene.receiver();
    const { id } = await world.endpoint({ url: `${receiver.url}/shut`, types, secretCredentials: [randomUuid()] });
    await world.endpoint({ url: `${receiver.url}/open`, types });
    const worker = await scene.worker({ sweepEvery: 20 });
    await refresh(world, 20);
    await until(
      () => states(world),
      (found) => found['delivered'] === 20,
    );
    await until(
      () => turnsOf(world, id),
      (turns) => turns === 3,
    );
    // Dozens of sweeps, each of which woke it.
    const tried = await turnsOf(world, id);
    for (let nth = 0; nth < 20; nth += 1) await worker.wake({ platform, endpoint: id, lane: 1 });
    expect(await turnsOf(world, id)).toBe(tried);
    expect(worker.errors).toHaveLength(1);
    expect(receiver.received.filter(({ path }) => path === '/hook/shut')).toEqual([]);
    const { rows } = await world.pool.query('select 1 from attempt where endpoint = $1', [id]);
    expect(rows).toEqual([]);

    const { id: credentialId } = await world.storeSecret(id);
    await world.append(id, { type: 'webhook_endpoint.secret_rotated', data: { credentialId, previousValidUntil: 1 } });
    await until(
      () => states(world),
      (found) => found['delivered'] === 40,
    );
    expect(await turnsOf(world, id)).toBeLessThan(tried + 5);
  });

  test('is sent everything but a message that is not there', async () => {
    const world = scene.world();
    const receiver = await scene.receiver();
    const { id } = await world.endpoint({ url: receiver.url, types });
    const dispatcher = createDispatcher({ queue: { wake: async () => {} }, onWakeFailed: () => {} });
    await ensureSubscriptions(world.pool, [dispatcher.name]);
    await refresh(world, 30);
    await consumeOnce(world.pool, [dispatcher]);
    await world.pool.query('delete from message where id = (select id from delivery order by position limit 1)');
    const worker = await scene.worker({ sweepEvery: 20 });
    expect(
      await until(
        () => states(world),
        (found) => found['delivered'] === 29,
      ),
    ).toEqual({ delivered: 29, pending: 1 });
    expect(receiver.received).toHaveLength(29);
    expect(worker.errors).toHaveLength(1);
    const { rows } = await world.pool.query('select attempt, failures from delivery');
    expect(rows).toEqual([{ attempt: 0, failures: 0 }]);
    // It was the first in hand, and the others did not wait for another turn.
    expect(await turnsOf(world, id)).toBeLessThan(4);
  });
});

describe('how long such an endpoint is left alone', () => {
  const key = { platform, endpoint: randomUuid() as StreamId };
  const open = () => {
    const clock = { now: 0, version: 1 };
    const spared = createSparedEndpoints({ versionOf: async () => ({ endpoint: clock.version, platform: 1 }), now: () => clock.now });
    /** Milliseconds until it is tried again, to the second. */
    const waits = async (): Promise<number> => {
      const from = clock.now;
      while (await spared.isSpared(key)) clock.now += 1_000;
      return clock.now - from;
    };
    return { clock, waits, spared };
  };
  const failed = { error: new Error('shut'), anySent: false };

  test('grows with each try to a minute', async () => {
    const { waits, spared } = open();
    expect([await waits(), spared.isClear(key)]).toEqual([0, true]);
    const seen: number[] = [];
    for (let nth = 0; nth < 8; nth += 1) {
      spared.spare(key, failed);
      seen.push((await waits()) / 1_000);
    }
    expect(seen).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    expect(spared.isClear(key)).toBe(false);
  });

  test('begins anew where something could be sent, where it was served, and where it has changed', async () => {
    const { clock, waits, spared } = open();
    const fail = async (anySent = false): Promise<number> => {
      spared.spare(key, { ...failed, anySent });
      return (await waits()) / 1_000;
    };
    expect([await fail(), await fail(), await fail(), await fail(true), await fail()]).toEqual([1, 2, 4, 1, 2]);
    spared.clear(key);
    expect([await fail(), await fail()]).toEqual([1, 2]);
    spared.spare(key, failed);
    expect(await spared.isSpared(key)).toBe(true);
    clock.version = 2;
    expect(await spared.isSpared(key)).toBe(false);
    expect(await fail()).toBe(1);
  });

  test('is told at first, and then every ten minutes or when it is something else', () => {
    const { clock, spared } = open();
    const told = [0, 1_000, 599_999, 600_000, 600_001].map((at) => {
      clock.now = at;
      return spared.spare(key, failed);
    });
    expect(told).toEqual([true, false, false, true, false]);
    expect(spared.spare(key, { ...failed, error: new Error('something else') })).toBe(true);
    expect(spared.spare({ ...key, endpoint: randomUuid() as StreamId }, failed)).toBe(true);
  });
});
