import { randomUUID } from 'node:crypto';
import type { PlatformId } from '@grantlog/eventsourcing';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Subscription } from '../src/index.ts';
import { consumeOnce, createPool, ensureSubscriptions } from '../src/index.ts';
import { commitOf, newStream, write } from './support/commits.ts';
import { findingOf, plantInFunction, plantInModule } from './support/planted.ts';
import type { TestDatabase } from './support/test-database.ts';
import { createTestDatabase } from './support/test-database.ts';
import { newPlatform, openTestLog, type TestLog } from './support/test-log.ts';

type Consume = typeof consumeOnce;

let database: TestDatabase;
let worker: pg.Pool;
let ours: TestLog;
let platform: PlatformId;

beforeAll(async () => {
  database = await createTestDatabase('consume');
  worker = createPool({ connectionString: database.url, role: 'grantlog_worker', max: 6 });
  ours = openTestLog(database.url);
  await database.asSuperuser('create table grantlog.effect (name text, platform text, position bigint)');
  await database.asSuperuser('grant select, insert on grantlog.effect to grantlog_worker');
});
beforeEach(async () => {
  platform = await newPlatform(ours.pool);
});
afterAll(async () => {
  await ours.close();
  await worker.end();
  await database.drop();
});

const appendMany = async (count: number): Promise<void> => {
  await Promise.all(Array.from({ length: count }, () => ours.log.append(platform, commitOf([write(newStream(), 0)]))));
};
const effects = async (name: string): Promise<string> => {
  const rows = await database.asSuperuser<{ position: number }>(
    'select position from grantlog.effect where name = $1 and platform = $2 order by position',
    [name, platform],
  );
  return rows.map(({ position }) => position).join(' ');
};
const upTo = (count: number): string => Array.from({ length: count }, (_, index) => index + 1).join(' ');
const untilIdle = async (consume: Consume, subscription: Subscription): Promise<void> => {
  for (let outcome = await consume(worker, [subscription]); outcome.kind === 'consumed'; ) outcome = await consume(worker, [subscription]);
};

/** Several loops at once, handlers that fail before and after their effect: each event once in effect, or an error says how often. */
const checkOnceInEffect = async (consume: Consume): Promise<void> => {
  const name = randomUUID();
  await appendMany(120);
  await ensureSubscriptions(worker, [name]);
  // Events of other tests' platforms have the same positions, and would fail in place of these.
  await database.asSuperuser('delete from grantlog.subscription where name = $1 and platform <> $2', [name, platform]);
  // Every third event fails once, by turns before and after its effect.
  const failed = new Set<number>();
  const failOnce = (position: number, when: 'before' | 'after'): void => {
    if (position % 3 !== 0 || (position % 2 === 0) !== (when === 'after') || failed.has(position)) return;
    failed.add(position);
    throw new Error(when);
  };
  const subscription: Subscription = {
    name,
    batchLimit: 4,
    handle: async (client, { platform: of, events }) => {
      for (const event of events) {
        failOnce(event.position, 'before');
        await client.query('insert into effect (name, platform, position) values ($1, $2, $3)', [name, of, event.position]);
        failOnce(event.position, 'after');
      }
    },
  };
  const loop = async (): Promise<void> => {
    for (let idle = 0; idle < 3; ) {
      const outcome = await consume(worker, [subscription]);
      if (outcome.kind === 'failed') await worker.query('update subscription set retry_at = null where name = $1', [name]);
      idle = outcome.kind === 'idle' ? idle + 1 : 0;
      if (outcome.kind === 'idle') await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  await Promise.all([loop(), loop(), loop()]);
  const found = await effects(name);
  if (found !== upTo(120)) throw new Error(`in effect: ${found}`);
};

/** A log with a hole after its fifth event: nothing behind the hole may be handed out. */
const checkHole = async (consume: Consume): Promise<void> => {
  const name = randomUUID();
  await appendMany(5);
  await plantInFunction(database, 'append', [
    { replace: 'v_now := clock_timestamp();', by: 'v_now := clock_timestamp(); v_head := v_head + 2;' },
  ]);
  await appendMany(5);
  await plantInFunction(database, 'append', [{ replace: ' v_head := v_head + 2;', by: '' }]);
  await ensureSubscriptions(worker, [name]);
  const insert = async (client: pg.PoolClient, of: PlatformId, position: number): Promise<void> => {
    await client.query('insert into effect (name, platform, position) values ($1, $2, $3)', [name, of, position]);
  };
  const subscription: Subscription = {
    name,
    batchLimit: 5,
    handle: async (client, batch) => {
      for (const { position } of batch.events) await insert(client, batch.platform, position);
    },
  };
  await database.asSuperuser('delete from grantlog.subscription where name = $1 and platform <> $2', [name, platform]);
  await untilIdle(consume, subscription);
  const [stopped] = await database.asSuperuser<{ failing_position: number; failure: string }>(
    'select failing_position, failure from grantlog.subscription where name = $1',
    [name],
  );
  if ((await effects(name)) !== upTo(5)) throw new Error(`handed out past the hole: ${await effects(name)}`);
  expect(stopped).toMatchObject({ failing_position: 6, failure: expect.stringContaining('LogOutOfOrder: expected position 6') });
};

describe('consuming', () => {
  test('has each event in effect once, whatever fails and however many work', () => checkOnceInEffect(consumeOnce));

  test('the test catches an effect outside the transaction of its checkpoint', async () => {
    const planted = await plantInModule<{ consumeOnce: Consume }>('subscriptions/consume.ts', [
      { replace: 'subscription.handle(client, batch)', by: 'subscription.handle(pool, batch)' },
    ]);
    expect(await findingOf(checkOnceInEffect(planted.consumeOnce))).toContain('in effect:');
  });

  test('the test catches a checkpoint that moves past an event whose handler failed', async () => {
    const planted = await plantInModule<{ consumeOnce: Consume }>('subscriptions/consume.ts', [
      {
        replace: 'await subscription.handle(client, batch);',
        by: `await client.query('savepoint h'); await subscription.handle(client, batch).catch(() => client.query('rollback to h'));`,
      },
    ]);
    expect(await findingOf(checkOnceInEffect(planted.consumeOnce))).toContain('in effect:');
  });

  test('stops at a hole in the log and hands out nothing behind it', () => checkHole(consumeOnce));

  test('the test catches a consumer that does not look at positions', async () => {
    const planted = await plantInModule<{ consumeOnce: Consume }>('subscriptions/consume.ts', [
      {
        replace: "import { readOn } from '../log/read-on.ts';",
        by: `import { readEventsAfter } from '../log/read-events.ts';
          const readOn = async (client, options) => {
            const events = await readEventsAfter(client, options);
            return { events, archived: [], through: events.at(-1)?.position ?? options.after };
          };`,
      },
    ]);
    expect(await findingOf(checkHole(planted.consumeOnce))).toContain('handed out past the hole');
  });

  test('answers idle when everything is consumed, and when somebody else is at it', async () => {
    const name = randomUUID();
    await appendMany(3);
    await ensureSubscriptions(worker, [name]);
    await database.asSuperuser('delete from grantlog.subscription where name = $1 and platform <> $2', [name, platform]);
    let inner = '';
    const subscription: Subscription = {
      name,
      handle: async () => {
        inner = (await consumeOnce(worker, [subscription])).kind;
      },
    };
    expect(await consumeOnce(worker, [subscription])).toMatchObject({ kind: 'consumed', events: 3, position: 3 });
    expect(inner).toBe('idle');
    expect((await consumeOnce(worker, [subscription])).kind).toBe('idle');
  });
});
