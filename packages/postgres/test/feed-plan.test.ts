import { uuidv7 } from '@grantlog/crypto';
import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type FeedAudience, type FeedPlace, feedsWithNews, findFeedPlace, listDeliveriesOf, readFeed } from '../src/index.ts';
import { type Plant, plantInFunction } from './support/planted.ts';
import { createTestDatabase, type TestDatabase } from './support/test-database.ts';
import { newPlatform, openTestLog, type TestLog } from './support/test-log.ts';

// As in the plan test of the log: plans made of empty tables, kept while they grow, and no statistics.

const count = 200_000;
const client = uuidv7(Date.now()) as StreamId;
const grant = uuidv7(Date.now()) as StreamId;

let database: TestDatabase;
let platform: PlatformId;
beforeAll(async () => {
  database = await createTestDatabase('feed_plan');
  const ours = openTestLog(database.url, { max: 1 });
  platform = await newPlatform(ours.pool);
  await ours.close();
  const partitions = await database.asSuperuser<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent in ('grantlog.message'::regclass, 'grantlog.message_audience'::regclass)`,
  );
  for (const { name } of partitions) await database.asSuperuser(`alter table grantlog.${name} set (autovacuum_enabled = off)`);
});
afterAll(() => database.drop());

/** Messages of three weeks, half of them for one client and every hundredth about one grant. */
const fill = async (): Promise<void> => {
  await database.asSuperuser(
    `with told as (
       insert into grantlog.message (platform, id, position, ordinal, subject, type, renderer, body, recorded_at)
       select $1, (left(grantlog.uuid_v7_floor(now() + n * interval '10 seconds')::text, 14) || '7' || substr(gen_random_uuid()::text, 16))::uuid,
         n, 0, case when n % 100 = 0 then $2::uuid else gen_random_uuid() end, 'grant.refreshed', 1, repeat('x', 300), now()
       from generate_series(1, $3::int) n returning id, position
     ) insert into grantlog.message_audience (platform, audience, position, ordinal, id)
       select $1, $4::uuid, position, 0, id from told where position % 2 = 0`,
    [platform, grant, count, client],
  );
};

const costOf = async (work: (ours: TestLog) => Promise<unknown>, prepare: () => Promise<void> = async () => {}) => {
  const ours = openTestLog(database.url, { max: 1 });
  // The plan is made now and kept for the length of the session.
  for (let index = 0; index < 8; index += 1) await work(ours);
  await prepare();
  const read = async () => {
    await ours.pool.query('select pg_stat_force_next_flush()');
    await ours.pool.query('select 1');
    const [row] = await database.asSuperuser<{ blocks: number; sequential: number }>(
      `select (select sum(coalesce(heap_blks_hit + heap_blks_read, 0) + coalesce(idx_blks_hit + idx_blks_read, 0))::int
           from pg_statio_user_tables where schemaname = 'grantlog') as blocks,
         (select coalesce(sum(seq_scan), 0)::int from pg_stat_user_tables where schemaname = 'grantlog' and (relname like 'message%' or relname like 'delivery%')) as sequential`,
    );
    if (row === undefined) throw new Error('no counters');
    return row;
  };
  const before = await read();
  await work(ours);
  const after = await read();
  await ours.close();
  return { blocks: after.blocks - before.blocks, sequential: after.sequential - before.sequential };
};

const middle: FeedPlace = { position: count / 2, ordinal: 0, id: 'ffffffff-ffff-ffff-ffff-ffffffffffff' };
const everything: FeedAudience = { kind: 'platform' };
const ofClient: FeedAudience = { kind: 'reader', id: client };
const ofGrant: FeedAudience = { kind: 'about', id: grant };
const audiences = [everything, ofClient, ofGrant];
const page = (audience: FeedAudience, types: readonly string[] | null) => (ours: TestLog) =>
  readFeed(ours.pool, { platform, audience, after: middle, types, limit: 100 });
// A message costs its row and, found by its client, a descent of three levels; every partition is asked where it begins.
const blocksOfPage = 101 * 6 + 60;
const blocksOfSearch = 1_000 * 6 + 60;

test('a page is read by the index in its order, from the first message to the last', async () => {
  await costOf(page({ kind: 'platform' }, null), fill);
  for (const audience of audiences) {
    const all = await costOf(page(audience, null));
    expect([audience.kind, all.sequential, all.blocks < blocksOfPage], String(all.blocks)).toEqual([audience.kind, 0, true]);
    const rare = await costOf(page(audience, ['grant.revoked']));
    expect([audience.kind, rare.sequential, rare.blocks < blocksOfSearch], String(rare.blocks)).toEqual([audience.kind, 0, true]);
  }
});

test('where a cursor stands is found without a look at what lies between', async () => {
  const cursors = [{ kind: 'oldest' }, { kind: 'latest' }, { kind: 'message', id: uuidv7(Date.now()) }] as const;
  for (const cursor of cursors) {
    const { sequential, blocks } = await costOf((ours) => findFeedPlace(ours.pool, { platform, audience: { kind: 'platform' } }, cursor));
    expect([cursor.kind, sequential, blocks < 300], String(blocks)).toEqual([cursor.kind, 0, true]);
  }
});

test('who was told of a hundred events is found by their positions', async () => {
  await database.asSuperuser(
    `insert into grantlog.delivery_done (platform, endpoint, id, lane, position, proves, state, attempt, created_at)
     select platform, $2, id, 1, position, false, 'delivered', 1, now() from grantlog.message where platform = $1 and position % 10 = 0`,
    [platform, client],
  );
  const positions = Array.from({ length: 100 }, (_, index) => (index + 1) * 1_000);
  const { sequential, blocks } = await costOf(async (ours) => {
    const told = await listDeliveriesOf(ours.pool, { platform, positions, limit: 500 });
    expect(told.map(({ position }) => position)).toEqual(positions);
    expect(await listDeliveriesOf(ours.pool, { platform, positions, limit: 7 })).toHaveLength(7);
  });
  // Every partition is asked for a position, and one for an id.
  expect([sequential, blocks < 110 * 60], String(blocks)).toEqual([0, true]);
});

test('a hundred who wait cost a few descents each', async () => {
  const waiting = Array.from({ length: 100 }, (_, index) => ({ platform, audience: audiences[index % 3] ?? everything, after: middle }));
  const { sequential, blocks } = await costOf((ours) => feedsWithNews(ours.pool, waiting));
  expect([sequential, blocks < 100 * 40], String(blocks)).toEqual([0, true]);
});

describe('is caught', () => {
  const right = async (): Promise<string> => {
    const [row] = await database.asSuperuser<{ source: string }>(
      `select pg_get_functiondef(p.oid) as source from pg_proc p where p.proname = 'read_feed'`,
    );
    return row?.source ?? '';
  };
  let source = '';
  beforeAll(async () => {
    source = await right();
  });
  afterEach(() => database.asSuperuser(source));

  const byId: Plant = {
    replace:
      'and m.subject = about and (m.position, m.ordinal, m.id) > (after_position, after_ordinal, after_id)\n    order by m.position,',
    by: 'and m.subject = about and (m.position, m.ordinal, m.id) > (after_position, after_ordinal, after_id)\n    order by m.recorded_at, m.position,',
  };
  const unbounded: Plant = {
    replace: 'order by t.position, t.ordinal, t.id limit most\n    ) a',
    by: 'order by t.position, t.ordinal, t.id\n    ) a',
  };

  test.each([
    ['a page in another order than the index', byId, ofGrant],
    ['a page that is cut only in the end', unbounded, ofClient],
  ] as const)('%s', async (_, planted, audience) => {
    await plantInFunction(database, 'read_feed', [planted]);
    expect((await costOf(page(audience, null))).blocks).toBeGreaterThan(blocksOfPage);
  });
});
