import { listDeliveries, readDelivery, readEndpointHealth, redeliver } from '@grantlog/postgres';
import { describe, expect, test } from 'vitest';
import { useScene } from './support/scene.ts';
import { states } from './support/worker.ts';
import { platform, until } from './support/world.ts';

describe('what the management API asks', () => {
  const scene = useScene();

  test("lists an endpoint's deliveries newest first in pages, shows one with its attempts, and sends it again under its id", async () => {
    const world = scene.world();
    const receiver = await scene.receiver();
    const client = await world.client('agent-1');
    const { id: endpoint } = await world.endpoint({ url: receiver.url });
    const { id: other } = await world.endpoint({ url: receiver.url, client: await world.client('agent-2') });
    await scene.worker();
    for (let n = 0; n < 4; n += 1) await world.grant({ client });
    await until(
      () => states(world),
      (found) => found['delivered'] === 8,
    );

    const { deliveries: all } = await listDeliveries(world.api, { platform, endpoint, limit: 100 });
    expect(all).toHaveLength(8);
    const paged = await listDeliveries(world.api, { platform, endpoint, limit: 3 });
    if (paged.next === null) throw new Error('there is another page');
    const rest = await listDeliveries(world.api, { platform, endpoint, limit: 100, before: paged.next });
    expect([...paged.deliveries, ...rest.deliveries]).toEqual(all);
    expect(rest.next).toBeNull();
    const { deliveries: others } = await listDeliveries(world.api, { platform, endpoint: other, limit: 100 });
    expect(others).toEqual([]);
    expect((await listDeliveries(world.api, { platform, endpoint, limit: 100, state: 'failed' })).deliveries).toEqual([]);

    const id = all[0]?.id ?? '';
    expect(await readDelivery(world.api, { platform, endpoint: other, id })).toBeNull();
    const one = await readDelivery(world.api, { platform, endpoint, id });
    expect(one).toMatchObject({ state: 'delivered', attempts: 1, history: [{ attempt: 1, outcome: 'delivered', status: 204 }] });
    expect(one?.body).toBe(receiver.received.find((request) => request.id === id)?.text);

    expect(await redeliver(world.api, { platform, endpoint: other, id })).toBe(false);
    expect(await redeliver(world.api, { platform, endpoint, id })).toBe(true);
    await until(
      () => receiver.received.length,
      (count) => count === 9,
    );
    await until(
      () => states(world),
      (found) => found['delivered'] === 8,
    );
    expect(receiver.received.at(-1)?.id).toBe(id);
    expect(await readEndpointHealth(world.api, { platform, endpoint })).toMatchObject({
      consecutiveFailures: 0,
      failingSince: null,
      pending: 0,
    });
    expect(await readEndpointHealth(world.api, { platform, endpoint: other })).toMatchObject({
      pending: 0,
      held: 0,
      circuit: 'closed',
      openUntil: null,
    });
  });

  test('what is sent again keeps its place in the line of its subject, where the endpoint wants order', async () => {
    const world = scene.world();
    const receiver = await scene.receiver();
    const client = await world.client('agent-1');
    const [ordered, unordered] = [await world.endpoint({ url: receiver.url, ordered: true }), await world.endpoint({ url: receiver.url })];
    await scene.worker();
    const grant = await world.grant({ client });
    await until(
      () => states(world),
      (found) => found['delivered'] === 4,
    );
    await world.pool.query(`update endpoint_work set open_until = now() + interval '1 hour'`);
    for (const { id: endpoint } of [ordered, unordered])
      for (const { id } of (await listDeliveries(world.api, { platform, endpoint, subject: grant, limit: 100 })).deliveries)
        expect(await redeliver(world.api, { platform, endpoint, id })).toBe(true);
    const { rows } = await world.pool.query('select endpoint, line, count(*)::int as n from delivery group by endpoint, line');
    expect(new Set(rows)).toEqual(
      new Set([
        { endpoint: ordered.id, line: grant, n: 2 },
        { endpoint: unordered.id, line: null, n: 2 },
      ]),
    );
  });

  test('the API can neither write a delivery nor change what one says', async () => {
    const { api } = scene.world();
    await expect(api.query(`update message set body = ''`)).rejects.toThrow(/permission denied/);
    await expect(api.query(`insert into delivery select * from delivery`)).rejects.toThrow(/permission denied/);
    await expect(api.query(`delete from delivery`)).rejects.toThrow(/permission denied/);
  });
});
