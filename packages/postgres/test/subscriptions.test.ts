import { randomUUID } from 'node:crypto';
import type { PlatformId, RecordedEvent } from '@grantlog/eventsourcing';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunnerOptions, Subscription } from '../src/index.ts';
import { consumeOnce, createPool, ensureSubscriptions, runSubscriptions } from '../src/index.ts';
import { commitOf, newStream, write } from './support/commits.ts';
import type { TestDatabase } from './support/test-database.ts';
import { createTestDatabase } from './support/test-database.ts';
import { newPlatform, openTestLog, type TestLog } from './support/test-log.ts';

let database: TestDatabase;
let worker: pg.Pool;
let ours: TestLog;
let platform: PlatformId;
const running: { readonly stop: () => Promise<void> }[] = [];

beforeAll(async () => {
  database = await createTestDatabase('subscriptions');
  worker = createPool({ connectionString: database.url, role: 'grantlog_worker', max: 8 });
  ours = openTestLog(database.url);
  await database.asSuperuser('create table grantlog.effect (name text, platform text, position bigint)');
  await database.asSuperuser('grant select, insert on grantlog.effect to grantlog_worker');
});
beforeEach(async () => {
  platform = await newPlatform(ours.pool);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((runner) => runner.stop()));
});
afterAll(async () => {
  await ours.close();
  await worker.end();
  await database.drop();
});

const appendMany = async (count: number): Promise<void> => {
  await Promise.all(Array.from({ length: count }, () => ours.log.append(platform, commitOf([write(newStream(), 0)]))));
};
const effects = async (name: string): Promise<readonly number[]> =>
  (
    await database.asSuperuser<{ position: number }>(
      'select position from grantlog.effect where name = $1 and platform = $2 order by position',
      [name, platform],
    )
  ).map(({ position }) => position);
const checkpoint = async (name: string) => {
  const rows = await database.asSuperuser<{ position: number; failing_position: number | null; failure: string | null }>(
    'select position, failing_position, failure from grantlog.subscription where name = $1 and platform = $2',
    [name, platform],
  );
  return rows[0];
};
const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);

/** Writes every event down, through the transaction it is given; only this test's platform counts. */
const recorder = (name: string, each: (event: RecordedEvent) => Promise<void> | void = () => {}): Subscription => ({
  name,
  batchLimit: 20,
  handle: async (client, { platform: of, events }) => {
    for (const event of events) {
      await client.query('insert into effect (name, platform, position) values ($1, $2, $3)', [name, of, event.position]);
      if (of === platform) await each(event);
    }
  },
});
const run = (subscriptions: readonly Subscription[], options: Partial<RunnerOptions> = {}) => {
  const runner = runSubscriptions({ pool: worker, listenUrl: null, pollEvery: 30, onFailure: () => {}, ...options, subscriptions });
  running.push(runner);
  return runner;
};

describe('subscriptions', () => {
  test('hand every event to its handler once, in order, in effect', async () => {
    const name = randomUUID();
    const order: number[] = [];
    run([recorder(name, (event) => void order.push(event.position))], { parallel: 1 });
    await appendMany(90);
    await vi.waitFor(async () => expect((await checkpoint(name))?.position).toBe(90), 5_000);
    expect(await effects(name)).toEqual(upTo(90));
    expect(order).toEqual(upTo(90));
  });

  test('share the work between runners, each event once in effect, while handlers fail at random', async () => {
    const names = [randomUUID(), randomUUID(), randomUUID()];
    const shares = [0, 0, 0];
    const flaky = (runner: number) =>
      names.map((name) =>
        recorder(name, () => {
          shares[runner] = (shares[runner] ?? 0) + 1;
          if (Math.random() < 0.01) throw new Error('an unlucky event');
        }),
      );
    const runners = [0, 1, 2].map((index) => run(flaky(index)));
    // A failure waits a second before it is tried again; the test need not.
    const impatience = setInterval(
      () => void database.asSuperuser('update grantlog.subscription set retry_at = null where retry_at is not null').catch(() => {}),
      20,
    );
    for (let round = 0; round < 6; round += 1) await appendMany(50);
    await vi.waitFor(
      async () => expect(await Promise.all(names.map(async (name) => (await checkpoint(name))?.position))).toEqual([300, 300, 300]),
      15_000,
    );
    clearInterval(impatience);
    await Promise.all(runners.map((runner) => runner.stop()));
    for (const name of names) expect(await effects(name)).toEqual(upTo(300));
    expect(shares.filter((share) => share > 0).length).toBeGreaterThan(1);
  });

  test('go on where they stood when a runner is stopped and another starts', async () => {
    const name = randomUUID();
    const first = run([recorder(name)]);
    await appendMany(30);
    await vi.waitFor(async () => expect(await effects(name)).toHaveLength(30), 5_000);
    await first.stop();
    await appendMany(30);
    expect(await effects(name)).toHaveLength(30);
    run([recorder(name)]);
    await vi.waitFor(async () => expect(await effects(name)).toEqual(upTo(60)), 5_000);
  });

  test('tell after the commit of a batch, when its effect is visible to everybody', async () => {
    const name = randomUUID();
    const told: { readonly last: number; readonly visible: readonly number[] }[] = [];
    const afterCommit: Subscription['afterCommit'] = async (batch) => {
      if (batch.platform === platform) told.push({ last: batch.events.at(-1)?.position ?? 0, visible: await effects(name) });
    };
    run([{ ...recorder(name), afterCommit }], { parallel: 1 });
    await appendMany(25);
    await vi.waitFor(() => expect(told.at(-1)?.last).toBe(25), 5_000);
    for (const { last, visible } of told) expect(visible).toEqual(upTo(last));
  });
});

describe('a handler that throws', () => {
  test('stops its subscription before that event, loudly, skips nothing, and leaves the others alone', async () => {
    const [name, healthy] = [randomUUID(), randomUUID()];
    let broken = true;
    const onFailure = vi.fn();
    const subscription = {
      ...recorder(name, (event) => {
        if (broken && event.position === 33) throw new Error('cannot render event 33');
      }),
      batchLimit: 1,
    };
    run([subscription, recorder(healthy)], { onFailure });
    await appendMany(50);
    await vi.waitFor(async () => expect((await checkpoint(name))?.failure).toContain('cannot render event 33'), 5_000);
    await vi.waitFor(async () => expect(await effects(healthy)).toEqual(upTo(50)), 5_000);
    expect(await checkpoint(name)).toMatchObject({ position: 32, failing_position: 33 });
    expect(await effects(name)).toEqual(upTo(32));
    expect(onFailure).toHaveBeenCalledWith(expect.objectContaining({ name, platform }));
    broken = false;
    await vi.waitFor(async () => expect(await effects(name)).toEqual(upTo(50)), 5_000);
    expect(await checkpoint(name)).toEqual({ position: 50, failing_position: null, failure: null });
  });

  test('leaves nothing of its batch behind', async () => {
    const name = randomUUID();
    await appendMany(10);
    await ensureSubscriptions(worker, [name]);
    await database.asSuperuser('delete from grantlog.subscription where name = $1 and platform <> $2', [name, platform]);
    const failing = recorder(name, (event) => {
      if (event.position === 7) throw new Error('no');
    });
    expect((await consumeOnce(worker, [failing])).kind).toBe('failed');
    expect(await effects(name)).toEqual([]);
    expect(await checkpoint(name)).toMatchObject({ position: 0, failing_position: 1 });
  });
});

describe('a wake-up', () => {
  test('comes at once by NOTIFY, and a lost one costs only the poll interval', async () => {
    const [heard, polled] = [randomUUID(), randomUUID()];
    const at = new Map<string, number>();
    const note = (name: string) => recorder(name, () => void at.set(name, performance.now()));
    run([note(heard)], { listenUrl: database.url, pollEvery: 4_000 });
    run([note(polled)], { listenUrl: null, pollEvery: 400 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const appendedAt = performance.now();
    await appendMany(1);
    await vi.waitFor(() => expect(at.size).toBe(2), 3_000);
    expect((at.get(heard) ?? 0) - appendedAt).toBeLessThan(350);
    expect((at.get(polled) ?? 0) - appendedAt).toBeLessThan(700);
  });

  test('is one for many appends: at most one every few milliseconds, and it names the platform', async () => {
    const heard: string[] = [];
    const listener = await database.connect();
    listener.on('notification', ({ payload }) => heard.push(payload ?? ''));
    await listener.query('listen grantlog_log');
    const began = performance.now();
    for (let round = 0; round < 50; round += 1) await appendMany(4);
    const lasted = performance.now() - began;
    await vi.waitFor(() => expect(heard).toContain(platform), 2_000);
    await listener.end();
    expect(heard.length).toBeLessThanOrEqual(Math.ceil(lasted / 5) + 2);
    expect(heard.length).toBeLessThan(200);
  });

  test('is heard again after the listening connection was cut', async () => {
    const name = randomUUID();
    const at: number[] = [];
    run([recorder(name, () => void at.push(performance.now()))], { listenUrl: database.url, pollEvery: 10_000 });
    await vi.waitFor(async () => expect(await listeners()).toHaveLength(1), 3_000);
    await database.asSuperuser(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'grantlog_listen' and datname = current_database()`,
    );
    await vi.waitFor(async () => expect(await listeners()).toHaveLength(1), 5_000);
    const appendedAt = performance.now();
    await appendMany(1);
    await vi.waitFor(() => expect(at).toHaveLength(1), 3_000);
    expect((at[0] ?? 0) - appendedAt).toBeLessThan(500);
  });

  test('leaves no listening connection behind a runner that is stopped at once', async () => {
    const runner = run([recorder(randomUUID())], { listenUrl: database.url });
    await runner.stop();
    await vi.waitFor(async () => expect(await listeners()).toHaveLength(0), 2_000);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(await listeners()).toHaveLength(0);
  });
});

const listeners = () =>
  database.asSuperuser(
    `select pid from pg_stat_activity where application_name = 'grantlog_listen' and datname = current_database() and query ilike 'listen%' and state = 'idle'`,
  );

describe('a frozen worker', () => {
  test('lets go of its subscription, which another one takes; what it had begun has no effect', async () => {
    const name = randomUUID();
    await appendMany(10);
    const failures: unknown[] = [];
    let frozen = 0;
    const freezing: Subscription = {
      name,
      handle: async (client, batch) => {
        frozen += 1;
        await client.query(`set local idle_in_transaction_session_timeout = '200ms'`);
        await recorder(name).handle(client, batch);
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      },
    };
    const stuck = runSubscriptions({
      pool: worker,
      listenUrl: null,
      parallel: 1,
      subscriptions: [freezing],
      onFailure: ({ error }) => failures.push(error),
    });
    await vi.waitFor(() => expect(frozen).toBe(1), 3_000);
    run([recorder(name)]);
    await vi.waitFor(async () => expect(await effects(name)).toEqual(upTo(10)), 3_000);
    await stuck.stop();
    expect(failures).toHaveLength(1);
    expect(await effects(name)).toEqual(upTo(10));
    expect(await checkpoint(name)).toMatchObject({ position: 10, failure: null });
  });

  test('is let go of after ten seconds without anybody asking for it', async () => {
    const { rows } = await worker.query<{ limit: string }>(`select current_setting('idle_in_transaction_session_timeout') as limit`);
    expect(rows).toEqual([{ limit: '10s' }]);
  });
});
