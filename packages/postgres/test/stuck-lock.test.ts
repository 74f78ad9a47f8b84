import { LogUnavailable } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPool, transaction } from '../src/index.ts';
import { appended, commitOf, newStream, write } from './support/commits.ts';
import type { TestDatabase } from './support/test-database.ts';
import { createTestDatabase } from './support/test-database.ts';
import { newPlatform, openTestLog, type TestLog } from './support/test-log.ts';

let database: TestDatabase;
let ours: TestLog;
beforeAll(async () => {
  database = await createTestDatabase('stuck_lock');
  await database.asSuperuser(`alter function grantlog.append set lock_timeout = '300ms'`);
  ours = openTestLog(database.url);
});
afterAll(async () => {
  await ours.close();
  await database.drop();
});

describe('a stuck lock', () => {
  test.each([
    ['on the row', 'select 1 from grantlog.log for update'],
    ['on the table', 'lock table grantlog.log in access exclusive mode'],
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

  test('names nobody who only waits for it as well', async () => {
    const platform = await newPlatform(ours.pool);
    const rival = openTestLog(database.url);
    const holder = await database.connect();
    await holder.query('begin');
    await holder.query('select 1 from grantlog.log for update');
    const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid');
    const outcomes = await Promise.allSettled(
      [ours, rival, ours, rival].map(({ log }) => log.append(platform, commitOf([write(newStream(), 0)]))),
    );
    await holder.query('rollback');
    await holder.end();
    await rival.close();
    for (const outcome of outcomes) {
      const message: string = outcome.status === 'rejected' ? outcome.reason.message : '';
      expect(message.match(/process \d+/g)).toEqual([`process ${rows[0]?.pid}`]);
    }
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
