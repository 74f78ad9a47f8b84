import { LogUnavailable } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createPool, transaction } from '../src/index.ts';
import { appended, commitOf, newStream, write } from './support/commits.ts';
import type { TestDatabase } from './support/test-database.ts';
import { createTestDatabase } from './support/test-database.ts';
import { newPlatform, openTestLog, type TestLog } from './support/test-log.ts';

const [lockTimeout, patience] = [1_500, 200];

let database: TestDatabase;
let ours: TestLog;
beforeAll(async () => {
  database = await createTestDatabase('stuck_lock');
  await database.asSuperuser(`alter function grantlog.append set lock_timeout = '${lockTimeout}ms'`);
  ours = openTestLog(database.url, { patience });
});
afterAll(async () => {
  await ours.close();
  await database.drop();
});

/** A session that has done one statement in its transaction and sits there until it is ended. */
const session = async (statement: string, values: unknown[] = []) => {
  const client = await database.connect();
  await client.query('begin');
  await client.query(statement, values);
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return { pid: rows[0]?.pid, end: () => client.end() };
};

/** The processes that the failure of an append names. */
const namedBy = (outcome: PromiseSettledResult<unknown>): readonly number[] =>
  outcome.status === 'rejected' ? [...String(outcome.reason).matchAll(/process (\d+)/g)].map(([, pid]) => Number(pid)) : [];

describe('a stuck lock', () => {
  test.each([
    ['on the row', 'select 1 from grantlog.log for update'],
    ['on the table', 'lock table grantlog.log in access exclusive mode'],
    ['on the table of events', 'lock table grantlog.event in share mode'],
  ])('%s answers LogUnavailable and names who holds it; nothing is appended, and the next append works', async (_, lock) => {
    const platform = await newPlatform(ours.pool);
    const holder = await database.connect();
    await holder.query(`set application_name = 'a forgotten psql'`);
    await holder.query('begin');
    await holder.query(lock);
    const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid');
    const commit = commitOf([write(newStream(), 0)]);
    const waiting = [ours.log.append(platform, commit), ours.log.append(platform, commitOf([write(newStream(), 0)]))];
    for (const outcome of await Promise.allSettled(waiting)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'LogUnavailable' } });
      if (outcome.status === 'rejected') {
        expect(outcome.reason).toBeInstanceOf(LogUnavailable);
        expect(outcome.reason.message).toContain(`process ${rows[0]?.pid} (a forgotten psql`);
      }
    }
    await holder.query('rollback');
    await holder.end();
    expect(appended(await ours.log.append(platform, commit)).position).toBe(1);
  });

  test('names nobody who only waits for it as well, or holds what is in no append’s way', async () => {
    const [platform, other] = [await newPlatform(ours.pool), await newPlatform(ours.pool)];
    const rival = openTestLog(database.url, { patience });
    const holder = await session('select 1 from grantlog.log where platform = $1 for no key update', [platform]);
    const bystanders = [
      // The place that an append has in the table while it waits for its row, and still has when its wait has just ended.
      await session('select 1 from grantlog.log where false for no key update'),
      await session('select 1 from grantlog.log where platform = $1 for key share', [platform]),
      await session('select 1 from grantlog.log where platform = $1 for update', [other]),
      await session('lock table grantlog.event in row exclusive mode'),
    ];
    const outcomes = await Promise.allSettled(
      [ours, rival, ours, rival].map(({ log }) => log.append(platform, commitOf([write(newStream(), 0)]))),
    );
    for (const each of [holder, ...bystanders]) await each.end();
    await rival.close();
    expect(outcomes.map(namedBy)).toEqual([[holder.pid], [holder.pid], [holder.pid], [holder.pid]]);
  });

  test('names who is at the root of it: a reader whom somebody waits for that the append waits for', async () => {
    const platform = await newPlatform(ours.pool);
    const reader = await session('select 1 from grantlog.log');
    const between = await database.connect();
    await between.query('begin');
    const migration = between.query('lock table grantlog.log in access exclusive mode');
    await vi.waitUntil(async () => (await database.asSuperuser('select 1 from pg_locks where not granted')).length > 0, {
      timeout: 10_000,
    });
    const [outcome] = await Promise.allSettled([ours.log.append(platform, commitOf([write(newStream(), 0)]))]);
    await reader.end();
    await migration;
    await between.end();
    expect(namedBy(outcome)).toEqual([reader.pid]);
  });

  test('is explained also to a process whose every connection waits for it', async () => {
    const platform = await newPlatform(ours.pool);
    const small = openTestLog(database.url, { patience, max: 1 });
    const holder = await session('lock table grantlog.log in exclusive mode');
    const [outcome] = await Promise.allSettled([small.log.append(platform, commitOf([write(newStream(), 0)]))]);
    await holder.end();
    await small.close();
    expect(namedBy(outcome)).toEqual([holder.pid]);
  });

  test('of one platform leaves the others alone', async () => {
    const [stuck, free] = [await newPlatform(ours.pool), await newPlatform(ours.pool)];
    const holder = await database.connect();
    await holder.query('begin');
    await holder.query('select 1 from grantlog.log where platform = $1 for update', [stuck]);
    const late = ours.log.append(stuck, commitOf([write(newStream(), 0)])).catch((error: unknown) => error);
    expect(appended(await ours.log.append(free, commitOf([write(newStream(), 0)]))).position).toBe(1);
    expect(await late).toBeInstanceOf(LogUnavailable);
    await holder.query('rollback');
    await holder.end();
  });

  test('is not what a consumer makes that registers a checkpoint inside a long transaction', async () => {
    const platform = await newPlatform(ours.pool);
    const worker = createPool({ connectionString: database.url, role: 'grantlog_worker', max: 1 });
    await transaction(worker, async (client) => {
      await client.query(`insert into subscription (name, platform) values ('slow', $1)`, [platform]);
      appended(await ours.log.append(platform, commitOf([write(newStream(), 0)])));
    });
    await worker.end();
  });
});
