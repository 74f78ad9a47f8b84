import { describe, expect, test } from 'vitest';
import { expireGrants } from '../src/grants/expire-grants.ts';
import { useScene } from './support/scene.ts';
import { until } from './support/world.ts';

describe('grants whose tokens have run out', () => {
  const scene = useScene();

  test('get their event, once, and agents are told; those refreshed meanwhile go on', async () => {
    const world = scene.world();
    const receiver = await scene.receiver();
    const client = await world.client('agent-1');
    await world.endpoint({ url: receiver.url, types: ['grant.expired'] });
    await scene.worker();
    const short = await world.grant({ client, lifetime: 1 });
    const refreshed = await world.grant({ client, lifetime: 1 });
    await world.refresh(refreshed, 2);
    const context = { log: world.log, pool: world.pool, limit: 100 };
    // Codes last longer than these tokens; the dispatcher knows the longest that may be.
    await world.pool.query(`update dispatch_grant set expires_at = now()`);
    await until(
      () => world.pool.query('select 1 from dispatch_grant'),
      ({ rowCount }) => rowCount === 2,
    );
    await world.pool.query(`update dispatch_grant set expires_at = now() - interval '1 second'`);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const [one, two] = await Promise.all([expireGrants(context), expireGrants(context)]);
    expect(one + two).toBe(1);
    await until(
      () => receiver.received.length,
      (count) => count === 1,
    );
    expect(receiver.received[0]?.body.data['grantId']).toBe(short);
    await until(
      () => world.pool.query<{ grant_id: string }>('select grant_id from dispatch_grant where expires_at > now()'),
      ({ rows }) => rows.length === 1,
    );
    const { rows } = await world.pool.query<{ grant_id: string }>('select grant_id from dispatch_grant');
    expect(rows).toEqual([{ grant_id: refreshed }]);
    expect(await expireGrants(context)).toBe(0);
  });
});
