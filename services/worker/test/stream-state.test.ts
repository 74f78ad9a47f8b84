import { foldVersion, grantDecider } from '@grantlog/domain';
import { fold } from '@grantlog/eventsourcing';
import { consumeOnce, createPostgresEventLog } from '@grantlog/postgres';
import { describe, expect, test } from 'vitest';
import { createStreamState } from '../src/subscriptions/stream-state.ts';
import { useScene } from './support/scene.ts';
import { platform } from './support/world.ts';

describe('the token state projection', () => {
  const scene = useScene();

  const project = async (): Promise<readonly unknown[]> => {
    const { pool, sealer } = scene.world();
    const tampered: unknown[] = [];
    const subscription = createStreamState({ sealer, onTampered: (found) => tampered.push(found) });
    await pool.query('insert into subscription (name, platform) select $1, platform from log on conflict do nothing', [subscription.name]);
    for (;;) {
      const outcome = await consumeOnce(pool, [subscription]);
      if (outcome.kind === 'failed') throw outcome.error;
      if (outcome.kind === 'idle') return tampered;
    }
  };
  const stored = async (grant: string) => {
    const { rows } = await scene
      .world()
      .pool.query('select version, follows, length(state) as size from stream_state where stream_id = $1', [grant]);
    return rows[0] as { readonly version: number; readonly follows: readonly string[]; readonly size: number } | undefined;
  };

  test('writes a snapshot once a tail reaches eight events, equal to the fold of the log, and names what a load follows', async () => {
    const world = scene.world();
    const client = await world.client('agent-1');
    const account = world.account();
    const grant = await world.grant({ client, account });
    for (let sequence = 2; sequence <= 6; sequence += 1) await world.refresh(grant, sequence);
    await project();
    expect(await stored(grant)).toBeUndefined();
    await world.refresh(grant, 7);
    await project();
    expect(await stored(grant)).toMatchObject({ version: 8, follows: [client, account] });
    const folded = fold(grantDecider, (await world.log.load(platform, [{ streamId: grant }])).stream(grant));
    await world.pool.query('delete from stream_state');
    expect(fold(grantDecider, (await world.log.load(platform, [{ streamId: grant }])).stream(grant))).toEqual(folded);
  });

  test('goes forward from its own snapshots, and their size does not grow with use', async () => {
    const world = scene.world();
    const grant = await world.grant({ client: await world.client('agent-1') });
    for (let sequence = 2; sequence <= 10; sequence += 1) await world.refresh(grant, sequence);
    await project();
    const small = await stored(grant);
    for (let sequence = 11; sequence <= 200; sequence += 1) await world.refresh(grant, sequence);
    await project();
    const large = await stored(grant);
    expect(large).toMatchObject({ version: 201, follows: small?.follows });
    expect(Math.abs((large?.size ?? 0) - (small?.size ?? 0))).toBeLessThan(20);
  });

  test('replaces a snapshot that somebody edited by a fold from the first event, and says so', async () => {
    const world = scene.world();
    const grant = await world.grant({ client: await world.client('agent-1') });
    for (let sequence = 2; sequence <= 10; sequence += 1) await world.refresh(grant, sequence);
    await project();
    await world.revoke(grant);
    await world.pool.query(`update stream_state set version = version + 1 where stream_id = $1`, [grant]);
    for (let n = 0; n < 8; n += 1) await world.append(grant, { type: 'grant.refresh_retried', data: { sequence: 1 } });
    expect(await project()).toEqual([{ platform, streamId: grant }]);
    const fresh = createPostgresEventLog({ pool: world.api, foldVersion, sealer: world.sealer });
    expect(fold(grantDecider, (await fresh.load(platform, [{ streamId: grant }])).stream(grant)).status).toBe('ended');
    fresh.stop();
  });
});
