import { uuidv7 } from '@grantlog/crypto';
import type { Commit, LoadRequest, PlatformId, StreamId } from '@grantlog/eventsourcing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { appendBatch } from '../src/index.ts';
import { commitOf, newStandingStream, newStream, write } from './support/commits.ts';
import { plantInFunction } from './support/planted.ts';
import type { TestDatabase } from './support/test-database.ts';
import { createTestDatabase } from './support/test-database.ts';
import { newPlatform, openTestLog } from './support/test-log.ts';

// A generic plan made on an empty table, kept while the table grows and no statistics come: the case in which a free
// planner chooses to read everything, and a load of four streams takes a second (design §3).

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase('plan');
  const partitions = await database.asSuperuser<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'grantlog.event'::regclass`,
  );
  for (const { name } of [...partitions, { name: 'stream_state' }, { name: 'credential' }, { name: 'data_key' }]) {
    await database.asSuperuser(`alter table grantlog.${name} set (autovacuum_enabled = off)`);
  }
});
afterEach(() => database.drop());

type Counters = { readonly blocks: number; readonly positionScans: number; readonly sequentialScans: number };

/** Blocks touched, scans of a position index and sequential scans, of all tables of the log, since the last reset. */
const countersOf = async (): Promise<Counters> => {
  const [row] = await database.asSuperuser<Counters>(
    `select (select sum(coalesce(heap_blks_hit + heap_blks_read, 0) + coalesce(idx_blks_hit + idx_blks_read, 0))::int from pg_statio_user_tables where schemaname = 'grantlog') as blocks,
       (select coalesce(sum(s.idx_scan), 0)::int from pg_stat_user_indexes s where s.schemaname = 'grantlog' and s.relname like 'event%'
          and pg_get_indexdef(s.indexrelid) like '%(platform, "position")%') as "positionScans",
       (select coalesce(sum(seq_scan), 0)::int from pg_stat_user_tables where schemaname = 'grantlog' and relname like 'event%') as "sequentialScans"`,
  );
  if (row === undefined) throw new Error('no counters');
  return row;
};

/** What `work` costs on one connection, counters being exact because the connection is closed before they are read. */
const costOf = async (
  work: (log: ReturnType<typeof openTestLog>) => Promise<void>,
  warm: (log: ReturnType<typeof openTestLog>) => Promise<void>,
): Promise<Counters> => {
  const ours = openTestLog(database.url, { max: 1 });
  await warm(ours);
  await ours.pool.query('select pg_stat_force_next_flush()');
  await ours.pool.query('select 1');
  const before = await countersOf();
  await work(ours);
  await ours.pool.query('select pg_stat_force_next_flush()');
  await ours.pool.query('select 1');
  const after = await countersOf();
  await ours.close();
  return {
    blocks: after.blocks - before.blocks,
    positionScans: after.positionScans - before.positionScans,
    sequentialScans: after.sequentialScans - before.sequentialScans,
  };
};

const clients = Array.from({ length: 10 }, newStandingStream);
const month = 31 * 24 * 3600 * 1000;

/** Twenty thousand grants over three months' partitions, in batches of 250. */
const fill = async (ours: ReturnType<typeof openTestLog>, platform: PlatformId, count: number): Promise<readonly StreamId[]> => {
  await ours.log.append(platform, commitOf(clients.map((client) => write(client, 0))));
  const grants: StreamId[] = [];
  while (grants.length < count) {
    const batch: Commit[] = [];
    for (let index = 0; index < 250; index += 1) {
      const grant = uuidv7(Date.now() + (index % 3) * month) as StreamId;
      grants.push(grant);
      batch.push(
        commitOf([
          write(grant, 0, [
            { type: 'grant.authorized', data: { client: clients[index % 10] ?? null } },
            { type: 'grant.refreshed', data: {} },
          ]),
        ]),
      );
    }
    await appendBatch(ours.pool, platform, batch);
  }
  return grants;
};

const measureLoads = async (streams: number): Promise<Counters & { readonly perStream: number }> => {
  let requests: readonly (readonly LoadRequest[])[] = [];
  let platform = '' as PlatformId;
  const cost = await costOf(
    async ({ log }) => {
      for (const request of requests) await log.load(platform, request);
    },
    async (ours) => {
      platform = await newPlatform(ours.pool);
      // The plan is made now, of an empty table, and kept for the length of the session.
      for (let index = 0; index < 8; index += 1) await ours.log.load(platform, [{ streamId: newStream(), follow: true }]);
      const grants = await fill(ours, platform, streams);
      requests = Array.from({ length: 50 }, (_, n) =>
        Array.from({ length: 4 }, (__, k) => ({ streamId: grants[(n * 397 + k * 31) % grants.length] ?? newStream(), follow: true })),
      );
    },
  );
  return { ...cost, perStream: cost.blocks / (50 * 4) };
};

const measureAppends = async (streams: number): Promise<Counters & { readonly perCommit: number }> => {
  let platform = '' as PlatformId;
  const cost = await costOf(
    async (ours) => {
      for (let index = 0; index < 200; index += 1) {
        const reads = [{ streamId: clients[index % 10] ?? newStandingStream(), expected: 1 }];
        await ours.log.append(platform, commitOf([write(newStream(), 0)], { reads }));
      }
    },
    async (ours) => {
      platform = await newPlatform(ours.pool);
      for (let index = 0; index < 8; index += 1)
        await ours.log.append(platform, commitOf([write(newStream(), 0)], { reads: [{ streamId: newStream(), expected: 0 }] }));
      await fill(ours, platform, streams);
    },
  );
  return { ...cost, perCommit: cost.blocks / 200 };
};

// A stream costs two index descents of three levels, its rows' pages, its client's rows, and an index probe for the snapshot.
const blocksPerStream = 20;
// The head is asked of every partition, once a batch; each stream of the commit costs an index descent.
const blocksPerCommit = 80;

describe('a load on a table without statistics', () => {
  test('touches a bounded number of blocks a stream, by the primary key alone', async () => {
    const cost = await measureLoads(20_000);
    expect(cost.perStream).toBeLessThan(blocksPerStream);
    expect(cost).toMatchObject({ positionScans: 0, sequentialScans: 0 });
  });

  test('is caught when its plan may flip to another index', async () => {
    await plantInFunction(database, 'load', [
      {
        replace: 'e.version > coalesce(w.version, 0)\n    order by e.version\n  ) e',
        by: 'e.version > coalesce(w.version, 0)\n    order by e.position\n  ) e',
      },
    ]);
    const cost = await measureLoads(5_000);
    expect(cost.positionScans).toBeGreaterThan(0);
    expect(cost.perStream).toBeGreaterThan(blocksPerStream);
  });
});

describe('an append on a table without statistics', () => {
  test('touches a bounded number of blocks a commit, and the position index only for the head', async () => {
    const cost = await measureAppends(20_000);
    expect(cost.perCommit).toBeLessThan(blocksPerCommit);
    expect(cost.sequentialScans).toBe(0);
  });

  test('is caught when a dependency is looked up by position', async () => {
    await plantInFunction(database, 'append', [
      { replace: 'order by e.version desc limit 1\n    ) current', by: 'order by e.position desc limit 1\n    ) current' },
    ]);
    expect((await measureAppends(5_000)).perCommit).toBeGreaterThan(blocksPerCommit);
  });
});
