import { transaction } from '@grantlog/postgres';
import { requestRebuild } from '@grantlog/read-models';
import { expect, test } from 'vitest';
import { useScene } from '../support/scene.ts';
import { allPages, clinic, newAccount, newClient, newStream, openAudit, plant } from './support.ts';

const scene = useScene();

test('rebuilt from the log, in other batches, it is the same row by row', async () => {
  const world = scene.world();
  const audit = await openAudit(world);
  const account = newAccount();
  const { session } = await audit.agents.begin({ url: 'https://agent.example/hook' });
  await audit.signIn(account, '203.0.113.7');
  await audit.catchUp({ ...audit.index, batchLimit: 3 });
  const grant = await audit.agents.link(session, account);
  await audit.agents.append(grant, { type: 'grant.refreshed', data: { issue: {} } });
  await audit.append([
    { streamId: newStream(), events: [{ type: 'grant.denied', data: { client: newClient(), account, session: null } }] },
  ]);
  await audit.agents.append(grant, { type: 'grant.expired', data: { at: 1 } });
  await audit.catchUp({ ...audit.index, batchLimit: 2 });
  const live = await audit.rows(1);
  expect(live.entries.length).toBeGreaterThan(20);
  expect(live.streams.length).toBeGreaterThan(4);
  const listed = await allPages(world);
  await requestRebuild(world.pool, audit.index);
  await audit.catchUp();
  expect(await audit.rows(2)).toEqual(live);
  // The old generation goes, and nothing of the new one.
  const clear = () => transaction(world.pool, (client) => audit.index.deleteBelow(client, { platform: clinic, generation: 2, limit: 4 }));
  while ((await clear()) > 0);
  const rows = await audit.rows(1);
  expect(rows.entries.filter(({ row }) => row.platform === clinic)).toEqual([]);
  expect(rows.streams.filter(({ row }) => row.platform === clinic)).toEqual([]);
  expect(await audit.rows(2)).toEqual(live);
  expect(await allPages(world)).toEqual(listed);
});

test('a batch taken in twice changes nothing', async () => {
  const world = scene.world();
  const audit = await openAudit(world);
  const { session } = await audit.agents.begin({ url: 'https://agent.example/hook' });
  const grant = await audit.agents.link(session, newAccount());
  await audit.agents.append(grant, { type: 'grant.revoked', data: { reason: 'by_operator', by: null } });
  await audit.catchUp();
  const once = await audit.rows(1);
  await world.pool.query(`update subscription set position = 0 where name = 'audit-index@1'`);
  await audit.catchUp({ ...audit.index, batchLimit: 5 });
  expect(await audit.rows(1)).toEqual(once);
});

test('its clock never steps back, whatever the clock of the database does', async () => {
  const world = scene.world();
  const audit = await openAudit(world);
  const head = await audit.head();
  const base = Date.now() + 60_000;
  // Seconds after the base, as a machine whose time was corrected might have recorded them.
  const recorded = [1, 3, 2, 2.5, 4, 0, 5];
  for (const [index, seconds] of recorded.entries())
    await plant(
      world,
      `insert into event (platform, position, stream_id, version, commit_id, type, schema_version, data, actor, correlation_id, recorded_at)
       values ($1, $2, $3, 1, gen_random_uuid(), 'account.registered', 1, '{}', '{"kind": "system", "id": "test"}', 'test',
         to_timestamp($4::float8 / 1000))`,
      [clinic, head + index + 1, newAccount(), base + seconds * 1000],
    );
  // From batch to batch the clock is carried on.
  await audit.catchUp({ ...audit.index, batchLimit: 1 });
  const { entries } = await allPages(world, { order: 'oldest', filter: { from: head + 1 } });
  expect(entries.map(({ clock }) => (clock - base) / 1000)).toEqual([1, 3, 3, 3, 4, 4, 5]);
});
