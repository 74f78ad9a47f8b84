import { randomUUID } from 'node:crypto';
import type { PlatformId } from '@grantlog/eventsourcing';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { consumeOnce, createPool, createReadAhead, ensureSubscriptions, type Subscription } from '../src/index.ts';
import { commitOf, newStream, write } from './support/commits.ts';
import { findingOf, plantInModule } from './support/planted.ts';
import type { TestDatabase } from './support/test-database.ts';
import { createTestDatabase } from './support/test-database.ts';
import { newPlatform, openTestLog, type TestLog } from './support/test-log.ts';

let database: TestDatabase;
let worker: pg.Pool;
let ours: TestLog;

beforeAll(async () => {
  database = await createTestDatabase('read_ahead');
  worker = createPool({ connectionString: database.url, role: 'grantlog_worker', max: 4 });
  ours = openTestLog(database.url);
});
afterAll(async () => {
  await ours.close();
  await worker.end();
  await database.drop();
});

const append = (platform: PlatformId, count: number): Promise<unknown> =>
  Promise.all(Array.from({ length: count }, () => ours.log.append(platform, commitOf([write(newStream(), 0)]))));

/** Only these platforms have it. */
const subscribe = async (platforms: readonly PlatformId[]): Promise<string> => {
  const name = randomUUID();
  await ensureSubscriptions(worker, [name]);
  await database.asSuperuser('delete from grantlog.subscription where name = $1 and platform <> all ($2)', [name, platforms]);
  return name;
};

/** Two platforms of one loop, which grow meanwhile and whose handler fails now and then: what each got, in order. */
const checkInOrder = async (): Promise<void> => {
  const platforms = [await newPlatform(ours.pool), await newPlatform(ours.pool)];
  await Promise.all(platforms.map((platform) => append(platform, 60)));
  const name = await subscribe(platforms);
  const got = new Map<PlatformId, string[]>(platforms.map((platform) => [platform, []]));
  const readAhead = createReadAhead(worker);
  let taken = 0;
  const counting: typeof readAhead = {
    ...readAhead,
    take: async (stretch) => {
      const events = await readAhead.take(stretch);
      if (events !== null) taken += 1;
      return events;
    },
  };
  let calls = 0;
  const subscription: Subscription = {
    name,
    batchLimit: 5,
    handle: async (_, { platform, events }) => {
      calls += 1;
      if (calls % 7 === 0) throw new Error('now and then');
      for (const event of events) got.get(platform)?.push(`${event.platform} ${event.position}`);
      if (calls === 10) await append(platform, 11);
    },
  };
  // One at a time, so that batches follow one another, and then by turns.
  for (const mostly of [platforms.slice(0, 1), platforms.slice(1), platforms]) {
    await database.asSuperuser(
      `update grantlog.subscription set retry_at = case when platform <> all ($2) then 'infinity'::timestamptz end where name = $1`,
      [name, mostly],
    );
    for (let left = 12; left > 0; left -= 1) {
      const { kind } = await consumeOnce(worker, [subscription], counting);
      if (kind === 'failed')
        await worker.query('update subscription set retry_at = null where name = $1 and platform = any ($2)', [name, mostly]);
    }
  }
  for (let kind = 'consumed'; kind !== 'idle'; ) {
    kind = (await consumeOnce(worker, [subscription], counting)).kind;
    if (kind === 'failed') await worker.query('update subscription set retry_at = null where name = $1', [name]);
  }
  if (taken < 4) throw new Error(`read ahead only ${taken} times`);
  for (const [platform, found] of got) {
    const [row] = await database.asSuperuser<{ head: number }>(
      'select max(position)::int as head from grantlog.event where platform = $1',
      [platform],
    );
    const due = Array.from({ length: row?.head ?? 0 }, (_, index) => `${platform} ${index + 1}`);
    if (found.join() !== due.join()) throw new Error(`got ${found.join()}`);
  }
};

test('a loop that reads ahead hands out each event once, in order and to its own platform', checkInOrder);

/** After two batches of one platform the third is there for it, and for nothing else. */
const checkOwn = async (create: typeof createReadAhead): Promise<void> => {
  const [platform, other] = [await newPlatform(ours.pool), await newPlatform(ours.pool)];
  await Promise.all([append(platform, 15), append(other, 15)]);
  const third = { platform, after: 10, limit: 5 };
  for (const [asked, expected] of [
    [third, 5],
    [{ ...third, platform: other }, undefined],
    [{ ...third, after: 9 }, undefined],
    [{ ...third, limit: 4 }, undefined],
  ] as const) {
    const readAhead = create(worker);
    readAhead.follow({ ...third, after: 0 }, 5);
    readAhead.follow({ ...third, after: 5 }, 10);
    const found = (await readAhead.take(asked))?.events.length;
    if (found !== expected) throw new Error(`got ${found} of ${JSON.stringify(asked)}`);
  }
};

test('what was read ahead is given for nothing but what it is', () => checkOwn(createReadAhead));

test.each(['one?.platform === platform', 'one.after === after', 'one.limit === limit'])(
  'the test catches that %s is not asked',
  async (asked) => {
    const planted = await plantInModule<{ createReadAhead: typeof createReadAhead }>('subscriptions/read-ahead.ts', [
      { replace: asked, by: asked.startsWith('one?') ? 'one !== undefined' : 'true' },
    ]);
    expect(await findingOf(checkOwn(planted.createReadAhead))).toContain('got 5');
  },
);

test('a loop with one connection reads ahead between its transactions, and is not held up by it', async () => {
  const platform = await newPlatform(ours.pool);
  await append(platform, 30);
  const name = await subscribe([platform]);
  const alone = createPool({ connectionString: database.url, role: 'grantlog_worker', max: 1 });
  const readAhead = createReadAhead(alone);
  const subscription: Subscription = { name, batchLimit: 5, handle: async () => {} };
  try {
    const kinds: string[] = [];
    for (let n = 0; n < 7; n += 1) kinds.push((await consumeOnce(alone, [subscription], readAhead)).kind);
    expect(kinds.join(' ')).toBe('consumed consumed consumed consumed consumed consumed idle');
  } finally {
    await alone.end();
  }
});
