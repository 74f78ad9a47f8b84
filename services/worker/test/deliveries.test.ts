import { randomUuid } from '@grantlog/crypto';
import { consumeOnce, ensureSubscriptions, takeDeliveries } from '@grantlog/postgres';
import { describe, expect, test } from 'vitest';
import { createDispatcher } from '../src/subscriptions/dispatcher.ts';
import { verifyWith } from './support/receiver.ts';
import { useScene } from './support/scene.ts';
import { backends, states } from './support/worker.ts';
import { clientIdOf, platform, until } from './support/world.ts';

describe.each(backends)('deliveries through %s', (backend) => {
  const scene = useScene(backend);

  test('tell an endpoint of a grant from its decision to its end, signed and without secrets', async () => {
    const world = scene.world();
    const receiver = await scene.receiver();
    const client = await world.client('agent-1');
    const account = world.account();
    const { secret } = await world.endpoint({ url: receiver.url, client });
    await scene.worker();
    const grant = await world.grant({ client, account });
    await world.refresh(grant, 2);
    const end = await world.revoke(grant);
    await until(
      () => receiver.received.length,
      (count) => count === 4,
    );
    for (const request of receiver.received) verifyWith(secret, request);
    expect(receiver.received.map(({ body }) => body.type).sort()).toEqual([
      'grant.authorized',
      'grant.code_redeemed',
      'grant.refreshed',
      'grant.revoked',
    ]);
    const [revoked] = receiver.ofType('grant.revoked');
    expect(revoked?.body.data).toEqual({
      platform: 'arlo',
      grantId: grant,
      clientId: clientIdOf(client),
      accountId: account,
      sequence: 4,
      position: end,
      reason: 'by_operator',
    });
    expect(receiver.received.map(({ text }) => text).join()).not.toMatch(/nnnn|tokenNonce|redirect|whsec/);
    await until(
      () => states(world),
      (found) => found['delivered'] === 4,
    );
  });

  test('reach each of three endpoints exactly once, no more at once than each one takes', async () => {
    const world = scene.world();
    const receivers = [await scene.receiver(() => ({ status: 200, delayMs: 5 })), await scene.receiver(), await scene.receiver()];
    const client = await world.client('agent-1');
    for (const receiver of receivers) await world.endpoint({ url: receiver.url, concurrency: 4 });
    await scene.worker();
    const grants = [];
    for (let n = 0; n < 20; n += 1) grants.push(await world.grant({ client }));
    await Promise.all(
      grants.map(async (grant) => {
        for (let sequence = 2; sequence <= 14; sequence += 1) await world.refresh(grant, sequence);
      }),
    );
    await until(
      () => states(world),
      (found) => found['delivered'] === 900,
      30_000,
    );
    for (const receiver of receivers) {
      expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(300);
      expect(receiver.received).toHaveLength(300);
      expect(receiver.mostAtOnce()).toBeLessThanOrEqual(4);
    }
  });

  test('survive claims of a killed worker: each is recorded as lost and made once more, none is stuck', async () => {
    const world = scene.world();
    const receiver = await scene.receiver();
    const client = await world.client('agent-1');
    const { id: endpoint } = await world.endpoint({ url: receiver.url });
    for (let n = 0; n < 50; n += 1) await world.grant({ client });
    const dispatcher = createDispatcher({ queue: { wake: async () => {} }, onWakeFailed: () => {} });
    await ensureSubscriptions(world.pool, [dispatcher.name]);
    while ((await consumeOnce(world.pool, [dispatcher])).kind === 'consumed');
    // What a kill between claim and send leaves behind.
    const killed = { worker: randomUuid(), holdMs: 500 };
    const take = { platform, endpoint, epoch: 0, room: 50 };
    const [taken] = await takeDeliveries(world.pool, { ...killed, takes: [take] });
    expect(taken?.deliveries).toHaveLength(50);
    const worker = await scene.worker();
    await until(
      () => states(world),
      (found) => found['delivered'] === 100,
    );
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(100);
    expect(receiver.received).toHaveLength(100);
    const lost = await world.pool.query(`select 1 from attempt where outcome = 'lost'`);
    expect(lost.rowCount).toBe(50);
    expect(worker.errors).toEqual([]);
  });
});
