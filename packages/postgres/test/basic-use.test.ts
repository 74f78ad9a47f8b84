import { standingId } from '@grantlog/crypto';
import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import { LogUnavailable } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countBasicUse, createPool, type Pool, resetBasicUse } from '../src/index.ts';
import { createTestDatabase, type TestDatabase } from './support/test-database.ts';

const arlo = 'arlo' as PlatformId;
const noon = Date.UTC(2026, 0, 1, 12);
const [hour, day] = [3_600_000, 86_400_000];

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase('basic_use');
  pool = createPool({ connectionString: database.url, role: 'grantlog_api', max: 8 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const newAccount = (): StreamId => standingId(3) as StreamId;
const use = (account: StreamId, now: number, limits: { readonly days?: number; readonly requestsPerDay?: number } = {}, platform = arlo) =>
  countBasicUse(pool, { platform, account, now, days: 30, requestsPerDay: 3, ...limits });

test('a day holds what it holds, and the next day in UTC begins anew', async () => {
  const account = newAccount();
  const outcomes = [];
  for (let nth = 0; nth < 5; nth += 1) outcomes.push(await use(account, noon));
  expect(outcomes.map(({ outcome, requests }) => [outcome, requests])).toEqual([
    ['counted', 1],
    ['counted', 2],
    ['counted', 3],
    ['day_full', 3],
    ['day_full', 3],
  ]);
  expect(await use(account, noon + 12 * hour - 1)).toMatchObject({ outcome: 'day_full' });
  expect(await use(account, noon + 12 * hour)).toMatchObject({ outcome: 'counted', requests: 1 });
  // A node whose request read the clock just before midnight counts for the day that has begun.
  expect(await use(account, noon + 12 * hour - 1)).toMatchObject({ outcome: 'counted', requests: 2 });
});

test('the days count from the first use', async () => {
  const account = newAccount();
  expect(await use(account, noon)).toEqual({ outcome: 'counted', firstUsedAt: noon, requests: 1, endsAt: noon + 30 * day });
  expect(await use(account, noon + 30 * day - 1)).toMatchObject({ outcome: 'counted', firstUsedAt: noon });
  expect(await use(account, noon + 30 * day)).toMatchObject({ outcome: 'days_over' });
  expect(await use(account, noon + 30 * day, { days: 31 })).toMatchObject({ outcome: 'counted' });
});

test('a reset lets the days begin anew', async () => {
  const account = newAccount();
  await use(account, noon);
  expect(await use(account, noon + 40 * day)).toMatchObject({ outcome: 'days_over' });
  expect(await resetBasicUse(pool, { platform: 'along' as PlatformId, account })).toBe(false);
  expect(await use(account, noon + 40 * day)).toMatchObject({ outcome: 'days_over' });
  expect(await resetBasicUse(pool, { platform: arlo, account })).toBe(true);
  expect(await resetBasicUse(pool, { platform: arlo, account })).toBe(false);
  expect(await use(account, noon + 40 * day)).toMatchObject({ outcome: 'counted', firstUsedAt: noon + 40 * day });
});

test('another account and another platform have limits of their own', async () => {
  const account = newAccount();
  await use(account, noon, { requestsPerDay: 1 });
  expect(await use(account, noon, { requestsPerDay: 1 })).toMatchObject({ outcome: 'day_full' });
  expect(await use(newAccount(), noon, { requestsPerDay: 1 })).toMatchObject({ outcome: 'counted' });
  expect(await use(account, noon, { requestsPerDay: 1 }, 'along' as PlatformId)).toMatchObject({ outcome: 'counted' });
});

test('of sixty at once exactly the rest of the day is let through', async () => {
  const account = newAccount();
  const limits = { requestsPerDay: 20 };
  for (let nth = 0; nth < 9; nth += 1) await use(account, noon, limits);
  const outcomes = await Promise.all(Array.from({ length: 60 }, () => use(account, noon, limits)));
  expect(outcomes.filter(({ outcome }) => outcome === 'counted')).toHaveLength(11);
});

test('nobody is let through where it cannot be counted', async () => {
  await database.asSuperuser('alter table grantlog.basic_use rename to elsewhere');
  try {
    await expect(use(newAccount(), noon)).rejects.toThrow(LogUnavailable);
  } finally {
    await database.asSuperuser('alter table grantlog.elsewhere rename to basic_use');
  }
});
