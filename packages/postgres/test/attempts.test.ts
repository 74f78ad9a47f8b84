import type { PlatformId } from '@grantlog/eventsourcing';
import { LogUnavailable } from '@grantlog/eventsourcing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { AttemptBucket, AttemptBudget, Pool } from '../src/index.ts';
import { createPool, deleteIdleAttemptBuckets, giveBackAttempt, takeAttempt } from '../src/index.ts';
import { createTestDatabase, type TestDatabase } from './support/test-database.ts';

const [arlo, along] = ['arlo', 'along'] as [PlatformId, PlatformId];
const start = Date.UTC(2026, 0, 1, 12);
const second = 1_000;

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase('attempts');
  pool = createPool({ connectionString: database.url, role: 'grantlog_api', max: 12 });
});
afterEach(() => database.asSuperuser('truncate grantlog.attempt_bucket'));
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const key = (name: string): Uint8Array => new TextEncoder().encode(name.padEnd(32, '.'));
const bucket = (name: string, capacity: number, secondsEach: number, strict?: AttemptBucket['strict']): AttemptBucket => ({
  key: key(name),
  capacity,
  secondsEach,
  ...(strict === undefined ? {} : { strict }),
});
const plain = (...buckets: readonly AttemptBucket[]): AttemptBudget => ({ buckets, gauge: null });
const take = (budget: AttemptBudget, now = start, platform = arlo): Promise<number> => takeAttempt(pool, platform, budget, now);
const times = async (count: number, work: () => Promise<number>): Promise<readonly number[]> => {
  const waits: number[] = [];
  for (let nth = 0; nth < count; nth += 1) waits.push(await work());
  return waits;
};
const rows = (): Promise<readonly { readonly level: number }[]> =>
  database.asSuperuser('select level from grantlog.attempt_bucket order by key');

/** What attempts come to that begin one after the other while somebody else holds the row of a bucket. */
const behind = async (held: Uint8Array, budgets: readonly AttemptBudget[]): Promise<readonly number[]> => {
  const holder = await database.connect();
  await holder.query('begin');
  await holder.query('select 1 from grantlog.attempt_bucket where key = $1 for update', [Buffer.from(held)]);
  const waiting = async (): Promise<number> =>
    Number(
      (
        await database.asSuperuser<{ count: number }>(
          `select count(*) as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        )
      )[0]?.count,
    );
  const attempts: Promise<number>[] = [];
  for (const budget of budgets) {
    attempts.push(take(budget));
    while ((await waiting()) < attempts.length) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await holder.query('commit');
  await holder.end();
  return Promise.all(attempts);
};

describe('a bucket', () => {
  test('lets through what it holds, then says how long until one more fits, and keeps its word', async () => {
    const budget = plain(bucket('a', 3, 20));
    expect(await times(3, () => take(budget))).toEqual([0, 0, 0]);
    expect(await take(budget)).toBeCloseTo(20);
    expect(await take(budget, start + 5 * second)).toBeCloseTo(15);
    expect(await take(budget, start + 19 * second)).toBeCloseTo(1);
    expect(await take(budget, start + 20 * second)).toBe(0);
    expect(await take(budget, start + 20 * second)).toBeCloseTo(20);
  });

  test('is another on another platform', async () => {
    const budget = plain(bucket('a', 1, 20));
    expect(await take(budget)).toBe(0);
    expect(await take(budget)).toBeGreaterThan(0);
    expect(await take(budget, start, along)).toBe(0);
  });

  test('does not fill up again when a clock reads earlier', async () => {
    const budget = plain(bucket('a', 1, 20));
    expect(await take(budget)).toBe(0);
    expect(await take(budget, start - 3_600 * second)).toBeCloseTo(20);
    expect(await take(budget, start + 20 * second)).toBe(0);
  });

  test('gets back what was given back, and never more than it holds', async () => {
    const budget = plain(bucket('a', 2, 20), bucket('b', 2, 20));
    await take(budget);
    await take(budget);
    expect(await take(budget)).toBeGreaterThan(0);
    await giveBackAttempt(pool, arlo, budget);
    expect(await take(budget)).toBe(0);
    for (let nth = 0; nth < 5; nth += 1) await giveBackAttempt(pool, arlo, budget);
    expect(await times(3, () => take(budget))).toEqual([0, 0, expect.closeTo(20)]);
  });

  test('lets exactly what it holds through of sixty that come at once', async () => {
    const budget = plain(bucket('a', 7, 20), bucket('b', 100, 6));
    const waits = await Promise.all(Array.from({ length: 60 }, () => take(budget)));
    expect(waits.filter((wait) => wait === 0)).toHaveLength(7);
    expect((await rows()).map(({ level }) => level)).toEqual([7, 7]);
  });

  test('lets no more through of those that all read it as open, because they wait for each other', async () => {
    const budget = plain(bucket('a', 4, 20));
    await take(budget);
    // All ten have read that there is room, and wait for the row.
    const answers = await behind(
      key('a'),
      Array.from({ length: 10 }, () => budget),
    );
    expect(answers.filter((wait) => wait === 0)).toHaveLength(3);
    for (const wait of answers.filter((each) => each > 0)) expect(wait).toBeCloseTo(20);
    expect((await rows()).map(({ level }) => level)).toEqual([4]);
  });

  test('does not lock in a circle with another that names the same two in the other order', async () => {
    const [one, other] = [bucket('a', 10, 20), bucket('b', 10, 20)];
    await take(plain(one, other));
    expect(await behind(key('b'), [plain(other, one), plain(one, other)])).toEqual([0, 0]);
    expect((await rows()).map(({ level }) => level)).toEqual([3, 3]);
  });
});

describe('several buckets', () => {
  test('are taken from all together or not at all, and a refusal writes nothing', async () => {
    const narrow = bucket('narrow', 1, 20);
    expect(await take(plain(narrow, bucket('a', 10, 6)))).toBe(0);
    const before = await rows();
    expect(await take(plain(narrow, bucket('a', 10, 6)))).toBeCloseTo(20);
    expect(await take(plain(narrow, bucket('new', 10, 6)))).toBeCloseTo(20);
    expect(await rows()).toEqual(before);
  });

  test('say the longest of their waits', async () => {
    const budget = plain(bucket('short', 1, 6), bucket('long', 1, 60));
    await take(budget);
    expect(await take(budget)).toBeCloseTo(60);
  });
});

describe('a gauge', () => {
  const gauge = { thisHour: key('hour 12'), lastHour: key('hour 11'), limit: 5 };
  const attack = (nth: number): AttemptBudget => ({ buckets: [bucket(`from ${nth}`, 10, 20, { capacity: 3, secondsEach: 60 })], gauge });

  test('makes the buckets strict once more than its limit were counted, and refuses nobody by itself', async () => {
    for (let nth = 0; nth < 5; nth += 1) expect(await take(attack(nth))).toBe(0);
    expect(await times(4, () => take(attack(100)))).toEqual([0, 0, 0, expect.closeTo(60)]);
    expect(await take(attack(101))).toBe(0);
  });

  test('lets ten through while it stands at its limit', async () => {
    for (let nth = 0; nth < 4; nth += 1) await take(attack(nth));
    // The fifth is this one, and it gives back what it took.
    const waits = await times(12, async () => {
      const wait = await take(attack(100));
      if (wait === 0) await giveBackAttempt(pool, arlo, { buckets: [], gauge });
      return wait;
    });
    expect(waits.filter((wait) => wait === 0)).toHaveLength(10);
  });

  test('weighs the last hour by what is left of its sixty minutes', async () => {
    const earlier: AttemptBudget = { buckets: [bucket('earlier', 100, 1)], gauge: { ...gauge, thisHour: gauge.lastHour } };
    for (let nth = 0; nth < 10; nth += 1) await take(earlier, start - 60 * second);
    const strictAt = async (now: number): Promise<boolean> => {
      await database.asSuperuser(`delete from grantlog.attempt_bucket where key not in ($1, $2)`, [
        Buffer.from(gauge.lastHour),
        Buffer.from(gauge.thisHour),
      ]);
      await database.asSuperuser(`delete from grantlog.attempt_bucket where key = $1`, [Buffer.from(gauge.thisHour)]);
      const waits = await times(4, () => takeAttempt(pool, arlo, { ...attack(1), gauge: { ...gauge, thisHour: key('elsewhere') } }, now));
      await database.asSuperuser(`delete from grantlog.attempt_bucket where key = $1`, [Buffer.from(key('elsewhere'))]);
      return waits.some((wait) => wait > 0);
    };
    expect(await strictAt(start + 60 * second)).toBe(true);
    expect(await strictAt(start + 3_500 * second)).toBe(false);
  });
});

test('drained buckets are deleted, and what still counts is not', async () => {
  const now = Date.now();
  const gauge = { thisHour: key('now'), lastHour: key('before'), limit: 5 };
  await take({ buckets: [bucket('drained', 10, 1)], gauge: { ...gauge, thisHour: key('old gauge') } }, now - 3 * 3_600 * second);
  await take({ buckets: [bucket('full', 10, 3_600)], gauge }, now);
  expect(await deleteIdleAttemptBuckets(pool)).toBe(2);
  const left = await database.asSuperuser<{ key: Buffer }>('select key from grantlog.attempt_bucket');
  expect(left.map(({ key: each }) => each.toString().replaceAll('.', '')).sort()).toEqual(['full', 'now']);
});

test('nobody is let through where the buckets cannot be read', async () => {
  await database.asSuperuser('alter table grantlog.attempt_bucket rename to elsewhere');
  try {
    await expect(take(plain(bucket('a', 10, 20)))).rejects.toThrow(LogUnavailable);
  } finally {
    await database.asSuperuser('alter table grantlog.elsewhere rename to attempt_bucket');
  }
});
