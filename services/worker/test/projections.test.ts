import { platformStream } from '@grantlog/domain';
import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import { grantList, listGrants, livePosition, type Projection, requestRebuild, waitForPosition } from '@grantlog/read-models';
import { describe, expect, test } from 'vitest';
import { runProjections } from '../src/subscriptions/projections.ts';
import { useScene } from './support/scene.ts';
import { platform, until, type World } from './support/world.ts';

describe('the list of grants', () => {
  const scene = useScene();

  const run = (projection: Projection = grantList) => {
    const errors: unknown[] = [];
    const runner = runProjections({
      pool: scene.world().pool,
      projections: [projection],
      runner: { listenUrl: null, pollEvery: 20, onFailure: ({ error }) => errors.push(error) },
      lookEvery: 50,
      onError: (error) => errors.push(error),
    });
    let stopped: Promise<void> | null = null;
    const stop = (): Promise<void> => (stopped ??= runner.stop());
    scene.atEnd(stop);
    return { errors, stop };
  };
  const generations = async (world: World) =>
    (await world.pool.query('select live_generation as live, building_generation as building from projection')).rows;
  const rowsOf = async (world: World, generation: number) =>
    (
      await world.pool.query(`select to_jsonb(g) - 'generation' as row from grant_list g where generation = $1 order by first_position`, [
        generation,
      ])
    ).rows;

  const traffic = (world: World, client: Awaited<ReturnType<World['client']>>) => {
    let going = true;
    let grants = 0;
    const loop = async (): Promise<void> => {
      while (going) {
        const grant = await world.grant({ client });
        grants += 1;
        await world.refresh(grant, 2);
        if (grants % 3 === 0) await world.revoke(grant);
      }
    };
    const loops = Promise.all([loop(), loop(), loop()]);
    return async (): Promise<number> => {
      going = false;
      await loops;
      return grants;
    };
  };

  test('rebuilt from zero while traffic runs gives the same rows as the live one, and readers see no gap', async () => {
    const world = scene.world();
    const client = await world.client('agent-1');
    const { errors } = run();
    const finish = traffic(world, client);
    // More than a few batches, so that the new generation is behind for a while.
    await until(
      () => livePosition(world.api, { name: grantList.name, platform }),
      (position) => position > 1_800,
    );
    const seen: number[] = [];
    let reading = true;
    const reader = (async () => {
      let first = Number.MAX_SAFE_INTEGER;
      while (reading) {
        const before = await livePosition(world.api, { name: grantList.name, platform });
        const page = await listGrants(world.api, { platform, limit: 1 });
        // The newest grant in the list never goes back.
        seen.push(page.grants[0]?.firstPosition ?? 0);
        first = Math.min(first, before);
      }
      return first;
    })();
    await requestRebuild(world.pool, grantList);
    await until(
      () => generations(world),
      (found) => found[0]?.live === 2 && found[0]?.building === null,
    );
    const grants = await finish();
    reading = false;
    await reader;
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    const head = await world.pool.query<{ head: number }>('select max(position) as head from event');
    expect(await waitForPosition(world.api, { name: grantList.name, platform, minPosition: head.rows[0]?.head ?? 0, waitMs: 5_000 })).toBe(
      true,
    );
    const rebuilt = await rowsOf(world, 2);
    expect(rebuilt).toHaveLength(grants);
    // Once more from zero, with nothing else going on: the same rows, and the old ones are cleared away.
    await requestRebuild(world.pool, grantList);
    await until(
      () => generations(world),
      (found) => found[0]?.live === 3,
    );
    expect(await rowsOf(world, 3)).toEqual(rebuilt);
    await until(
      () => rowsOf(world, 2),
      (rows) => rows.length === 0,
    );
    await until(
      () => world.pool.query(`select name from subscription where name like 'grant-list@%'`),
      ({ rows }) => rows.length === 1,
    );
    expect(errors).toEqual([]);
  });

  test('is built anew by newer code, and older code leaves that alone', async () => {
    const world = scene.world();
    const client = await world.client('agent-1');
    await world.grant({ client });
    const older = run();
    await until(
      () => listGrants(world.api, { platform }),
      ({ grants }) => grants.length === 1,
    );
    await older.stop();
    run({ ...grantList, version: 2 });
    await until(
      () => generations(world),
      (found) => found[0]?.live === 2,
    );
    const { rows } = await world.pool.query('select live_version from projection');
    expect(rows).toEqual([{ live_version: 2 }]);
    run();
    await world.grant({ client });
    await until(
      () => listGrants(world.api, { platform }),
      ({ grants }) => grants.length === 2,
    );
    expect(await generations(world)).toEqual([{ live: 2, building: null }]);
  });

  test('takes in platforms that are opened later, and rebuilds those without a single event', async () => {
    const world = scene.world();
    const { errors } = run();
    await until(
      () => generations(world),
      (found) => found.length === 1,
    );
    await world.openPlatform('quiet' as PlatformId);
    await until(
      () => generations(world),
      (found) => found.length === 2,
    );
    await requestRebuild(world.pool, grantList);
    await until(
      () => generations(world),
      (found) => found.every(({ live, building }) => live === 2 && building === null),
    );
    expect(errors).toEqual([]);
  });

  test('filters, pages without holes, and waits for a position', async () => {
    const world = scene.world();
    run();
    const [one, two] = [await world.client('agent-1'), await world.client('agent-2')];
    const account = world.account();
    const ids: StreamId[] = [];
    for (let n = 0; n < 12; n += 1)
      ids.unshift(await world.grant({ client: n % 3 === 0 ? two : one, account: n % 2 === 0 ? account : world.account() }));
    const position = await world.revoke(ids[0] as StreamId);
    const all = await listGrants(world.api, { platform, minPosition: position });
    expect(all.current).toBe(true);
    expect(all.grants.map(({ grantId }) => grantId)).toEqual(ids);
    const paged: StreamId[] = [];
    for (let before: number | null | undefined; before !== null; ) {
      const page = await listGrants(world.api, { platform, limit: 5, ...(before === undefined ? {} : { before }) });
      paged.push(...page.grants.map(({ grantId }) => grantId));
      before = page.next;
    }
    expect(paged).toEqual(ids);
    expect((await listGrants(world.api, { platform, client: two })).grants).toHaveLength(4);
    expect((await listGrants(world.api, { platform, account })).grants).toHaveLength(6);
    const revoked = await listGrants(world.api, { platform, status: 'revoked' });
    expect(revoked.grants).toMatchObject([{ grantId: ids[0], reason: 'by_operator', clientId: expect.any(String) }]);
    expect(await listGrants(world.api, { platform: 'other' as PlatformId })).toMatchObject({ grants: [], next: null });
    const began = performance.now();
    expect((await listGrants(world.api, { platform, minPosition: position + 100 })).current).toBe(false);
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  test('shows as revoked what a mass revocation ended, and nothing that began after it', async () => {
    const world = scene.world();
    run();
    const client = await world.client('agent-1');
    const account = world.account();
    const byAccount = await world.grant({ client, account });
    await world.append(account, { type: 'account.grants_revoked', data: { reason: 'asked' } });
    const byClient = await world.grant({ client });
    await world.append(client, { type: 'client.grants_revoked', data: { reason: 'asked' } });
    const byPlatform = await world.grant({ client });
    const minPosition = await world.append(platformStream, { type: 'platform.grants_revoked', data: { reason: 'asked' } });
    const alive = await world.grant({ client, account });
    await until(
      () => livePosition(world.api, { name: grantList.name, platform }),
      (position) => position > minPosition,
    );
    const { grants } = await listGrants(world.api, { platform, minPosition: minPosition + 2 });
    expect(grants.map(({ grantId, status, reason }) => ({ grantId, status, reason }))).toEqual([
      { grantId: alive, status: 'active', reason: null },
      { grantId: byPlatform, status: 'revoked', reason: 'revoked_with_platform' },
      { grantId: byClient, status: 'revoked', reason: 'revoked_with_client' },
      { grantId: byAccount, status: 'revoked', reason: 'revoked_with_account' },
    ]);
    expect((await listGrants(world.api, { platform, status: 'active' })).grants.map(({ grantId }) => grantId)).toEqual([alive]);
  });
});
