import { uuidv7 } from '@grantlog/crypto';
import type { StreamId } from '@grantlog/eventsourcing';
import { listRecoveries } from '@grantlog/postgres';
import { describe, expect, test } from 'vitest';
import { recover } from '../src/webhooks/recovery.ts';
import { clinic, createAgents } from './support/agents.ts';
import { recoveriesOf } from './support/recoveries.ts';
import { useScene } from './support/scene.ts';
import { anyDelivery } from './support/worker.ts';
import { platform, until } from './support/world.ts';

const scene = useScene();
const { request, go, dueOf, close } = recoveriesOf(scene);

describe('what a recovery reaches', () => {
  test("is what its endpoint's own scope has, and no other client's", async () => {
    const world = scene.world();
    const [mine, other] = [await world.client('agent-1'), await world.client('agent-2')];
    await scene.worker();
    const own = await world.grant({ client: mine });
    await world.grant({ client: other });
    const all = await world.endpoint({ url: 'http://127.0.0.1:9/' });
    const narrow = await world.endpoint({ url: 'http://127.0.0.1:9/', client: mine });
    const typed = await world.endpoint({ url: 'http://127.0.0.1:9/', types: ['grant.code_redeemed'] });
    for (const { id } of [all, narrow, typed]) {
      await close(id);
      await request(id);
    }
    await go();
    const grants = async (id: StreamId) => (await dueOf(id)).filter(({ type }) => type.startsWith('grant.'));
    expect(new Set((await grants(narrow.id)).map(({ subject }) => subject))).toEqual(new Set([own]));
    expect(await grants(narrow.id)).toHaveLength(2);
    expect(await grants(all.id)).toHaveLength(4);
    expect((await grants(typed.id)).map(({ type }) => type)).toEqual(['grant.code_redeemed', 'grant.code_redeemed']);
    // Nobody gets a question that was for another, nor its own once more.
    for (const { id } of [all, narrow, typed])
      expect((await dueOf(id)).filter(({ type, subject }) => type === 'webhook_endpoint.verification' && subject !== id)).toEqual([]);
  });

  test('is nothing of whom its receiver wants to hear no more of', async () => {
    const world = scene.world();
    const [client, known, removed] = [await world.client('agent-1'), world.account(), world.account()];
    await scene.worker();
    const { id } = await world.endpoint({ url: 'http://127.0.0.1:9/' });
    const grants = [
      await world.grant({ client, account: known }),
      await world.grant({ client, account: removed }),
      await world.grant({ client }),
    ];
    await close(id);
    await world.append(id, { type: 'webhook_endpoint.subject_removed', data: { account: removed } });
    await until(
      () => dueOf(id),
      (due) => due.length > 0,
    );
    await world.pool.query('delete from delivery where endpoint = $1', [id]);
    await request(id);
    await go();
    const about = (await dueOf(id)).filter(({ type }) => type.startsWith('grant.')).map(({ subject }) => subject);
    expect(new Set(about)).toEqual(new Set([grants[0], grants[2]]));
  });

  test("is nothing of another platform, and of a session nothing but that session's", async () => {
    const world = scene.world();
    const agents = await createAgents(world);
    const receiver = await scene.receiver();
    const client = await world.client('agent-1');
    await scene.worker();
    await world.grant({ client });
    const [one, two] = [await agents.begin({ url: receiver.url }), await agents.begin({ url: `${receiver.url}/two` })];
    await until(async () => (await agents.isVerified(one.endpoint)) && (await agents.isVerified(two.endpoint)), Boolean);
    await agents.link(one.session, await agents.person());
    await agents.link(two.session, await agents.person());
    await until(
      () => receiver.received.length,
      (count) => count === 4,
    );
    const data = { recoveryId: uuidv7(Date.now()), from: 1, through: null, ratePerSecond: 500, includeDelivered: true };
    await agents.append(one.endpoint, { type: 'webhook_endpoint.recovery_requested', data });
    await until(
      async () => (await listRecoveries(world.api, { platform: clinic, endpoint: one.endpoint, limit: 1 })).length,
      (count) => count === 1,
    );
    await go();
    expect((await listRecoveries(world.api, { platform: clinic, endpoint: one.endpoint, limit: 1 }))[0]).toMatchObject({
      state: 'done',
      examined: 2,
      again: 2,
    });
    await until(
      () => receiver.received.length,
      (count) => count === 6,
    );
    expect(receiver.received.slice(4).every(({ path, body }) => !path.endsWith('/two') && body.data['sessionId'] === one.session)).toBe(
      true,
    );
    const { rows } = await world.pool.query(`select 1 from ${anyDelivery} d where endpoint = $1 and platform <> $2`, [
      one.endpoint,
      clinic,
    ]);
    expect(rows).toEqual([]);
  });
});

test('a recovery that fails holds up none behind it, and is said to have failed', async () => {
  const world = scene.world();
  const client = await world.client('agent-1');
  await scene.worker();
  await world.grant({ client });
  const endpoints = [await world.endpoint({ url: 'http://127.0.0.1:9/' }), await world.endpoint({ url: 'http://127.0.0.1:9/' })];
  for (const { id } of endpoints) {
    await close(id);
    await request(id);
  }
  let connections = 0;
  const failingOnce = new Proxy(world.pool, {
    get: (pool, name) => {
      if (name !== 'connect') return Reflect.get(pool, name).bind(pool);
      return () => {
        connections += 1;
        return connections === 1 ? Promise.reject(new Error('the first is refused')) : pool.connect();
      };
    },
  });
  await expect(recover({ pool: failingOnce, queue: { wake: async () => {} } })).rejects.toThrow('the first is refused');
  const states = await Promise.all(
    endpoints.map(async ({ id }) => (await listRecoveries(world.api, { platform, endpoint: id, limit: 1 }))[0]?.state),
  );
  expect(states.toSorted()).toEqual(['done', 'running']);
});
