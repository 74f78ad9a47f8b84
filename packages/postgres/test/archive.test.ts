import { randomBytes, randomUUID } from 'node:crypto';
import { uuidv7 } from '@grantlog/crypto';
import type { PlatformId, RecordedEvent, StreamId } from '@grantlog/eventsourcing';
import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Archive,
  consumeOnce,
  createLeafBlocks,
  createPool,
  detachMonth,
  ensureSubscriptions,
  listArchives,
  MonthNotDetached,
  type MonthPart,
  namedByLaterGrants,
  parseMonth,
  platformsOfMonth,
  readEventAt,
  readHead,
  readMonth,
  readMonthByStream,
  readOn,
  removeRemains,
  writeArchivedLeaves,
} from '../src/index.ts';
import { commitOf, newStandingStream, write } from './support/commits.ts';
import { createTestDatabase, type TestDatabase } from './support/test-database.ts';
import { newPlatform, openTestLog, type TestLog } from './support/test-log.ts';

let database: TestDatabase;
let ours: TestLog;
let owner: pg.Pool;
let platform: PlatformId;
beforeEach(async () => {
  database = await createTestDatabase('archive');
  ours = openTestLog(database.url);
  owner = createPool({ connectionString: database.url, role: 'grantlog_migrate', max: 2 });
  platform = await newPlatform(ours.pool);
});
afterEach(async () => {
  await ours.close();
  await owner.end();
  await database.drop();
});

// A month to come stands for one that has long passed: the log makes partitions ahead.
const inDays = (days: number): number => Date.now() + days * 86_400_000;
const month = parseMonth(new Date(inDays(40)).toISOString().slice(0, 7));
if (month === null) throw new Error('no month');
const oldStream = (): StreamId => uuidv7(month.endedAt - 86_400_000 * Math.random() * 27) as StreamId;

const append = async (streamId: StreamId, expected: number, events = 1, to = platform): Promise<void> => {
  const result = await ours.log.append(to, commitOf([write(streamId, expected, events)]));
  expect(result.outcome).toBe('appended');
};

const collect = async <Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> => {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
};

/** Archives all streams of the month but those that stay; the leaves get hashes that say their position. */
const archive = async (stays: readonly StreamId[], { between = async () => {} }: { readonly between?: () => Promise<void> } = {}) => {
  const id = randomUUID();
  const seen = (await platformsOfMonth(owner, month)).get(platform) ?? 0;
  const going = (await collect(readMonth(owner, { platform, month, through: seen }))).filter(({ streamId }) => !stays.includes(streamId));
  const blocks = createLeafBlocks((rows) => writeArchivedLeaves(owner, { platform, archive: id }, rows));
  for (const { position } of going) await blocks.add({ position, hash: hashFor(position) });
  await blocks.end();
  const row: Archive = {
    id,
    platform,
    lineage: randomUUID(),
    month: month.name,
    file: 'month.ndjson.gz',
    digest: randomBytes(32),
    events: going.length,
    streams: new Set(going.map(({ streamId }) => streamId)).size,
    firstPosition: going[0]?.position ?? 0,
    lastPosition: going.at(-1)?.position ?? 0,
    treeSize: seen,
  };
  await between();
  const part: MonthPart = { platform, seen, archive: row, stays: new Set(stays), subjects: new Map() };
  await detachMonth(owner, month, [part]);
  return going;
};

const hashFor = (position: number): Uint8Array => {
  const hash = Buffer.alloc(32);
  hash.writeUInt32BE(position, 28);
  return hash;
};

const all = async (): Promise<readonly RecordedEvent[]> => {
  const events: RecordedEvent[] = [];
  for (let after = 0; ; ) {
    const stretch = await readOn(owner, { platform, after, limit: 7 });
    if (stretch.through === after) return events;
    events.push(...stretch.events);
    after = stretch.through;
  }
};

describe('a month that leaves the log', () => {
  test('leaves what stays, its place known and its positions never given again', async () => {
    const [over, lives, standing] = [oldStream(), oldStream(), newStandingStream()];
    const others = await newPlatform(ours.pool);
    await append(over, 0, 300);
    await append(lives, 0, 2);
    await append(standing, 0);
    await append(over, 300, 5);
    await append(lives, 2, 1);
    await append(standing, 1);
    const before = await all();

    const going = await archive([lives]);
    expect(going).toHaveLength(305);
    expect(await all()).toEqual(before.filter(({ streamId }) => streamId !== over));
    expect(await readHead(ours.pool, platform)).toBe(before.length);
    const stretch = await readOn(owner, { platform, after: 0, limit: 100 });
    expect(stretch.archived.map(({ position }) => position)).toEqual(going.map(({ position }) => position));
    for (const { position, hash } of stretch.archived) expect(Buffer.from(hash)).toEqual(hashFor(position));
    expect(await readEventAt(ours.pool, { platform, position: 1 })).toBeNull();
    expect((await readEventAt(ours.pool, { platform, position: 301 }))?.streamId).toBe(lives);
    expect(await listArchives(ours.pool, { platform })).toMatchObject([{ month: month.name, events: 305, streams: 1, firstPosition: 1 }]);
    expect(await listArchives(ours.pool, { platform: others })).toEqual([]);

    // The log goes on, on the stream that stayed too, and at the next position.
    await append(lives, 3);
    await append(over, 0);
    expect((await all()).map(({ position }) => position).slice(-2)).toEqual([before.length + 1, before.length + 2]);
    const tables = await database.asSuperuser(`select 1 from pg_class where relname ~ 'event_(next|archived)' and relkind = 'r'`);
    expect(tables).toEqual([]);
  });

  test('is guarded as it was, and found by index', async () => {
    const [over, lives] = [oldStream(), oldStream()];
    await append(over, 0);
    await append(lives, 0);
    await append(newStandingStream(), 0);
    await archive([lives]);
    for (const statement of ['delete from', 'truncate'])
      await expect(database.asSuperuser(`${statement} grantlog.${month.table}`)).rejects.toThrow('append-only');
    for (const role of ['grantlog_api', 'grantlog_worker'] as const) {
      const pool = createPool({ connectionString: database.url, role, max: 1 });
      await expect(pool.query(`delete from archived_leaf`)).rejects.toThrow('permission denied');
      await expect(pool.query(`insert into archive default values`)).rejects.toThrow('permission denied');
      await pool.end();
    }
    const indexes = await database.asSuperuser<{ n: number }>(
      `select count(*)::int as n from pg_index where indrelid = 'grantlog.${month.table}'::regclass`,
    );
    const parents = await database.asSuperuser<{ n: number }>(
      `select count(*)::int as n from pg_index where indrelid = 'grantlog.event'::regclass`,
    );
    expect(indexes).toEqual(parents);
  });

  test('takes along what was appended meanwhile to a stream that stays, and stays where that was another', async () => {
    const [over, lives] = [oldStream(), oldStream()];
    await append(over, 0, 3);
    await append(lives, 0, 3);
    await append(newStandingStream(), 0);
    const changed = archive([lives], { between: () => append(over, 3) });
    await expect(changed).rejects.toThrow(MonthNotDetached);
    await removeRemains(owner);
    expect(await all()).toHaveLength(8);
    await archive([lives], { between: () => append(lives, 3) });
    expect((await all()).map(({ streamId }) => streamId).filter((id) => id === lives)).toHaveLength(4);
  });

  test('stays where another platform wrote to it meanwhile, or where it has the last event of a log', async () => {
    const others = await newPlatform(ours.pool);
    await append(oldStream(), 0, 3);
    await expect(archive([])).rejects.toThrow('last event');
    await removeRemains(owner);
    await append(newStandingStream(), 0);
    const theirs = oldStream();
    await expect(archive([], { between: () => append(theirs, 0, 2, others) })).rejects.toThrow('2 new events');
    expect(await all()).toHaveLength(4);
  });

  test('can leave in parts, as its streams end', async () => {
    const [first, second, third] = [oldStream(), oldStream(), oldStream()];
    for (const [n, stream] of [first, second, third, first, third].entries()) await append(stream, n < 3 ? 0 : 1);
    await append(newStandingStream(), 0);
    await archive([second, third]);
    await archive([third]);
    expect((await all()).map(({ streamId }) => streamId).slice(0, 2)).toEqual([third, third]);
    expect(await listArchives(ours.pool, { platform, month: month.name })).toMatchObject([{ streams: 1 }, { streams: 1 }]);
  });

  test('is exchanged while others append and read, who lose nothing', { timeout: 60_000 }, async () => {
    const [over, lives, standing] = [oldStream(), oldStream(), newStandingStream()];
    await append(over, 0, 250);
    await append(lives, 0);
    await append(standing, 0);
    let stopping = false;
    const appended = { lives: 1, standing: 1 };
    const writer = async (): Promise<void> => {
      while (!stopping) {
        await append(lives, appended.lives);
        appended.lives += 1;
        await append(standing, appended.standing);
        appended.standing += 1;
      }
    };
    const writing = writer();
    const name = randomUUID();
    const worker = createPool({ connectionString: database.url, role: 'grantlog_worker', max: 2 });
    await ensureSubscriptions(worker, [name]);
    await archive([lives]);
    stopping = true;
    await writing;
    const found = await all();
    expect(found.filter(({ streamId }) => streamId === lives)).toHaveLength(appended.lives);
    expect(found.filter(({ streamId }) => streamId === standing)).toHaveLength(appended.standing);
    // A consumer that begins anew gets what there is, and one that wants to know, what there was.
    const [seen, gone]: [number[], number[]] = [[], []];
    const subscription = {
      name,
      batchLimit: 20,
      takesArchived: true,
      handle: async (
        _: unknown,
        batch: { readonly events: readonly RecordedEvent[]; readonly archived: readonly { readonly position: number }[] },
      ) => {
        seen.push(...batch.events.map(({ position }) => position));
        gone.push(...batch.archived.map(({ position }) => position));
      },
    };
    for (;;) {
      const outcome = await consumeOnce(worker, [subscription]);
      if (outcome.kind === 'failed') throw outcome.error;
      if (outcome.kind === 'idle') break;
    }
    await worker.end();
    expect(seen).toEqual(found.map(({ position }) => position));
    expect(gone).toHaveLength(250);
  });

  test('leaves a hole only where it says so: what else is missing stops whoever reads on', async () => {
    await append(oldStream(), 0, 5);
    await append(newStandingStream(), 0);
    await archive([]);
    await database.asSuperuser(
      `update grantlog.archived_leaf set present = '\\x1d' || substr(present, 2), hashes = substr(hashes, 1, 128)`,
    );
    await expect(readOn(owner, { platform, after: 0, limit: 10 })).rejects.toThrow('expected position 2');
  });

  test('keeps what grants of later months stand on, as long as they live', async () => {
    const later = parseMonth(new Date(month.endedAt + 86_400_000).toISOString().slice(0, 7));
    const [session, source, unnamed, ended] = [oldStream(), oldStream(), oldStream(), oldStream()] as const;
    const grant = async (data: object, ends: boolean): Promise<void> => {
      const id = uuidv7((later?.endedAt ?? 0) - 86_400_000) as StreamId;
      const types = ends ? ['grant.authorized', 'grant.revoked'] : ['grant.authorized'];
      await ours.log.append(
        platform,
        commitOf([
          write(
            id,
            0,
            types.map((type) => ({ type, data })),
          ),
        ]),
      );
    };
    for (const stream of [session, source, unnamed, ended]) await append(stream, 0);
    await grant({ session, delegation: { sources: [{ grant: source }] }, scopes: ['read'], note: `about ${unnamed}` }, false);
    await grant({ session: ended }, true);
    expect([...(await namedByLaterGrants(owner, { platform, month }))].sort()).toEqual([session, source].sort());
    const others = await newPlatform(ours.pool);
    expect((await namedByLaterGrants(owner, { platform: others, month })).size).toBe(0);
  });

  test('is read by stream and by position', async () => {
    const [one, other] = [oldStream(), oldStream()].sort() as [StreamId, StreamId];
    await append(other, 0, 2);
    await append(one, 0, 2);
    await append(other, 2, 1);
    const byStream = await collect(readMonthByStream(owner, { platform, month }));
    expect(byStream.map(({ streamId, version }) => `${streamId === one ? 'one' : 'other'} ${version}`)).toEqual([
      'one 1',
      'one 2',
      'other 1',
      'other 2',
      'other 3',
    ]);
    const byPosition = await collect(readMonth(owner, { platform, month, through: 4 }));
    expect(byPosition.map(({ position }) => position)).toEqual([1, 2, 3, 4]);
  });
});
