import type { PlatformId } from '@grantlog/eventsourcing';
import { appendBatch } from '@grantlog/postgres';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { commitOf, newStandingStream, newStream, write } from '../../../packages/postgres/test/support/commits.ts';
import { plantInFunction } from '../../../packages/postgres/test/support/planted.ts';
import { createTestDatabase, type TestDatabase } from '../../../packages/postgres/test/support/test-database.ts';
import { newPlatform, openTestLog } from '../../../packages/postgres/test/support/test-log.ts';

// A row that every append updates would leave a dead version each time; while some report holds a snapshot open, none of
// them may be cleaned, and each append wades through all of them. Counted in blocks and rows, which do not depend on the machine.

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase('open_snapshot');
  await database.asSuperuser(`do $$ begin execute format('alter database %I set synchronous_commit = off', current_database()); end $$`);
  // The blocks that an autovacuum or autoanalyze reads are counted with those of the appends, whenever it happens to come.
  await database.asSuperuser(`do $$ declare t regclass; begin
    for t in select oid::regclass from pg_class where relnamespace = 'grantlog'::regnamespace and relkind = 'r' loop
      execute format('alter table %s set (autovacuum_enabled = false)', t);
    end loop;
  end $$`);
});
afterEach(() => database.drop());

const batchSize = 20;

type Cost = {
  /** Blocks of the log's own row that one append touches. */
  readonly lockBlocks: number;
  /** Blocks that one append touches in all. */
  readonly blocks: number;
  readonly deadRows: number;
  readonly updates: number;
  readonly bytes: number;
};

const counters = async () => {
  const [row] = await database.asSuperuser<{ lock: number; blocks: number; dead: number; updates: number; bytes: number }>(
    `select (select heap_blks_hit + heap_blks_read + coalesce(idx_blks_hit, 0) + coalesce(idx_blks_read, 0) from pg_statio_user_tables where relid = 'grantlog.log'::regclass) as lock,
       (select sum(coalesce(heap_blks_hit + heap_blks_read, 0) + coalesce(idx_blks_hit + idx_blks_read, 0))::int8 from pg_statio_user_tables where schemaname = 'grantlog') as blocks,
       (select n_dead_tup from pg_stat_user_tables where relid = 'grantlog.log'::regclass) as dead,
       (select n_tup_upd from pg_stat_user_tables where relid = 'grantlog.log'::regclass) as updates,
       pg_relation_size('grantlog.log') as bytes`,
  );
  if (row === undefined) throw new Error('no counters');
  return row;
};

/** Appends so many commits on a connection of its own, in batches, each commit depending on one stream. */
const costOfAppending = async (platform: PlatformId, commits: number): Promise<Cost> => {
  const ours = openTestLog(database.url, { max: 1 });
  const client = newStandingStream();
  await ours.log.append(platform, commitOf([write(client, 0)]));
  await ours.pool.query('select pg_stat_force_next_flush()');
  await ours.pool.query('select 1');
  const before = await counters();
  const batches = commits / batchSize;
  for (let batch = 0; batch < batches; batch += 1) {
    const reads = [{ streamId: client, expected: 1 }];
    await appendBatch(
      ours.pool,
      platform,
      Array.from({ length: batchSize }, () => commitOf([write(newStream(), 0)], { reads })),
    );
  }
  await ours.pool.query('select pg_stat_force_next_flush()');
  await ours.pool.query('select 1');
  const after = await counters();
  await ours.close();
  return {
    lockBlocks: (after.lock - before.lock) / batches,
    blocks: (after.blocks - before.blocks) / batches,
    deadRows: after.dead,
    updates: after.updates,
    bytes: after.bytes,
  };
};

/** The same work three times in one run: with nothing open, beside a report that began before it, and with nothing open again. */
const sideBySide = async (
  commits: number,
): Promise<{ readonly alone: Cost; readonly beside: Cost; readonly after: Cost; readonly seen: number }> => {
  const ours = openTestLog(database.url, { max: 1 });
  const [free, held, last] = [await newPlatform(ours.pool), await newPlatform(ours.pool), await newPlatform(ours.pool)];
  await ours.close();
  const alone = await costOfAppending(free, commits);
  const report = await database.connect();
  await report.query('begin isolation level repeatable read');
  await report.query('select count(*) from grantlog.event');
  const beside = await costOfAppending(held, commits);
  const { rows } = await report.query<{ seen: number }>('select count(*)::int as seen from grantlog.event where platform = $1', [held]);
  await report.query('commit');
  await report.end();
  const after = await costOfAppending(last, commits);
  return { alone, beside, after, seen: rows[0]?.seen ?? -1 };
};

describe('a snapshot that stays open', () => {
  test('costs appends nothing: no dead row, no growth, no more blocks touched', { timeout: 60_000 }, async () => {
    const { alone, beside, after, seen } = await sideBySide(20_000);
    // The report is real: it sees nothing of what came after it.
    expect(seen).toBe(0);
    expect(beside).toMatchObject({ deadRows: 0, updates: 0, bytes: 8_192 });
    expect(beside.lockBlocks).toBeLessThan(alone.lockBlocks * 1.05 + 0.1);
    // The indexes grow from one run to the next, so what came after bounds it as well as what came before.
    expect(beside.blocks).toBeLessThan(Math.max(alone.blocks, after.blocks) * 1.15);
  });

  test('is seen to cost when an append updates the row that orders the log', { timeout: 60_000 }, async () => {
    await plantInFunction(database, 'append', [
      {
        replace: 'v_now := clock_timestamp();',
        by: 'v_now := clock_timestamp(); update log l set floor = l.floor where l.platform = p_platform;',
      },
    ]);
    const { alone, beside } = await sideBySide(20_000);
    expect(beside.updates).toBeGreaterThanOrEqual(20_000 / batchSize);
    expect(beside.deadRows).toBeGreaterThan(500);
    expect(beside.bytes).toBeGreaterThan(8_192);
    expect(beside.lockBlocks).toBeGreaterThan(alone.lockBlocks * 2);
  });
});
