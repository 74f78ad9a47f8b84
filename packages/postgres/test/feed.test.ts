import { uuidv7 } from '@grantlog/crypto';
import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  createPool,
  type FeedAudience,
  type FeedCursor,
  type FeedPlace,
  feedsWithNews,
  findFeedPlace,
  insertMessages,
  type NewMessage,
  readFeed,
  transaction,
} from '../src/index.ts';
import { commitOf, newStream, write } from './support/commits.ts';
import { createTestDatabase, type TestDatabase } from './support/test-database.ts';
import { newPlatform, openTestLog, type TestLog } from './support/test-log.ts';
import { messageOf, tell } from './support/told.ts';

let database: TestDatabase;
let ours: TestLog;
let worker: pg.Pool;
let platform: PlatformId;
beforeAll(async () => {
  database = await createTestDatabase('feed');
  ours = openTestLog(database.url);
  worker = createPool({ connectionString: database.url, role: 'grantlog_worker', max: 4 });
});
beforeEach(async () => {
  platform = await newPlatform(ours.pool);
});
afterAll(async () => {
  await worker.end();
  await ours.close();
  await database.drop();
});

const everything: FeedAudience = { kind: 'platform' };
const stream = (): StreamId => uuidv7(Date.now()) as StreamId;
const find = (cursor: FeedCursor, audience: FeedAudience = everything) => findFeedPlace(ours.pool, { platform, audience }, cursor);
const placeOf = async (cursor: FeedCursor, audience: FeedAudience = everything): Promise<FeedPlace> => {
  const found = await find(cursor, audience);
  if (found?.kind !== 'found') throw new Error(`gone: ${JSON.stringify(cursor)}`);
  return found.place;
};
const page = (after: FeedPlace, change: { audience?: FeedAudience; types?: readonly string[]; limit?: number } = {}) =>
  readFeed(ours.pool, { platform, audience: everything, types: null, limit: 100, after, ...change });
const from = async (change: Parameters<typeof page>[1] = {}) => page(await placeOf({ kind: 'oldest' }, change.audience), change);
const ids = (messages: readonly { readonly id: string }[]): readonly string[] => messages.map(({ id }) => id);
/** Grows the log itself, so that positions up to there are. */
const grow = async (events: number): Promise<void> => {
  for (let count = 0; count < events; count += 1) await ours.log.append(platform, commitOf([write(newStream(), 0)]));
};

describe('a feed', () => {
  test('has each message once, in the order of the log and within an event of its ordinals', async () => {
    const told = [3, 1, 2].flatMap((position) => [1, 0, 2].map((ordinal) => messageOf(platform, { position, ordinal })));
    await tell(worker, { platform, to: 5 }, told);
    const expected = ids(told.toSorted((a, b) => a.position - b.position || a.ordinal - b.ordinal));
    const whole = await from();
    expect([ids(whole.messages), whole.more, whole.next.position]).toEqual([expected, false, 5]);
    const paged: string[] = [];
    let at = await from({ limit: 2 });
    for (paged.push(...ids(at.messages)); at.more; paged.push(...ids(at.messages))) at = await page(at.next, { limit: 2 });
    expect(paged).toEqual(expected);
  });

  test('gives messages that share a place one after another', async () => {
    const told = Array.from({ length: 5 }, () => messageOf(platform, { position: 1 }));
    await tell(worker, { platform, to: 1 }, told);
    const first = await from({ limit: 3 });
    const rest = await page(first.next, { limit: 3 });
    expect([...ids(first.messages), ...ids(rest.messages)]).toEqual(ids(told).toSorted());
  });

  test('shows a client, a session and a grant what is theirs, and nobody what is about endpoints themselves', async () => {
    const [client, session, other, grant] = [stream(), stream(), stream(), stream()];
    const told = [
      messageOf(platform, { position: 1, subject: grant, audience: [client] }),
      messageOf(platform, { position: 2, audience: [client, session] }),
      messageOf(platform, { position: 3, audience: [other] }),
      messageOf(platform, { position: 4, type: 'webhook_endpoint.verification', subject: grant, audience: [client] }),
      messageOf(platform, { position: 5, type: 'webhook_endpoint.test', audience: [] }),
      messageOf(platform, { position: 6, subject: grant, audience: [] }),
    ];
    await tell(worker, { platform, to: 6 }, told);
    const seen = async (audience: FeedAudience) => ids((await from({ audience })).messages).map((id) => ids(told).indexOf(id) + 1);
    expect(await seen(everything)).toEqual([1, 2, 3, 6]);
    expect(await seen({ kind: 'reader', id: client })).toEqual([1, 2]);
    expect(await seen({ kind: 'reader', id: session })).toEqual([2]);
    expect(await seen({ kind: 'reader', id: other })).toEqual([3]);
    expect(await seen({ kind: 'about', id: grant })).toEqual([1, 6]);
    expect(await seen({ kind: 'reader', id: stream() })).toEqual([]);
  });

  test('has nothing of another platform', async () => {
    const client = stream();
    const neighbour = await newPlatform(ours.pool);
    await tell(worker, { platform: neighbour, to: 1 }, [messageOf(neighbour, { position: 1, subject: client, audience: [client] })]);
    for (const audience of [everything, { kind: 'reader', id: client } as const, { kind: 'about', id: client } as const])
      expect((await from({ audience })).messages).toEqual([]);
  });

  test('takes types by name and all of a kind, by no letter more', async () => {
    const types = [
      'grant.revoked',
      'grant.refreshed',
      'grants.x',
      'session.linked',
      'webhook_endpoint.disabled',
      'webhookXendpoint.disabled',
    ];
    await tell(
      worker,
      { platform, to: 6 },
      types.map((type, index) => messageOf(platform, { position: index + 1, type })),
    );
    const typed = async (...asked: readonly string[]) => (await from({ types: asked })).messages.map(({ type }) => type);
    expect(await typed('grant.*')).toEqual(['grant.revoked', 'grant.refreshed']);
    expect(await typed('grant.revoked', 'session.linked')).toEqual(['grant.revoked', 'session.linked']);
    expect(await typed('webhook_endpoint.*')).toEqual(['webhook_endpoint.disabled']);
    expect(await typed('grant.%', 'grant', '*')).toEqual([]);
  });

  test('looks at so many for a page of a rare type, and says where to read on', async () => {
    const rare = messageOf(platform, { position: 2_400, type: 'grant.revoked' });
    await tell(
      worker,
      { platform, to: 2_399 },
      Array.from({ length: 2_399 }, (_, index) => messageOf(platform, { position: index + 1 })),
    );
    await tell(worker, { platform, to: 2_401 }, [rare]);
    const first = await from({ types: ['grant.revoked'], limit: 1 });
    expect(first).toMatchObject({ messages: [], more: true, next: { position: 1_000 } });
    const second = await page(first.next, { types: ['grant.revoked'], limit: 1 });
    expect(second).toMatchObject({ messages: [], more: true, next: { position: 2_000 } });
    const third = await page(second.next, { types: ['grant.revoked'], limit: 1 });
    expect([ids(third.messages), third.more, third.next.position]).toEqual([[rare.id], false, 2_401]);
  });
});

describe('while a dispatcher commits', () => {
  test('a reader that pages misses nothing and gets nothing twice', async () => {
    const told: NewMessage[] = [];
    let position = 0;
    const dispatch = async (): Promise<void> => {
      for (let batch = 0; batch < 120; batch += 1) {
        const messages: NewMessage[] = [];
        for (let count = 0; count < 7; count += 1) {
          position += 1;
          if (position % 3 === 0) continue;
          for (let ordinal = 0; ordinal < 1 + (position % 4); ordinal += 1) messages.push(messageOf(platform, { position, ordinal }));
        }
        told.push(...messages);
        await transaction(
          worker,
          async (client) => {
            // Written from the last to the first, and seen with the checkpoint alone.
            for (const message of messages.toReversed()) await insertMessages(client, [message]);
            await client.query(
              `insert into subscription (name, platform, position) values ('dispatcher', $1, $2)
               on conflict (name, platform) do update set position = excluded.position`,
              [platform, position],
            );
          },
          'repeatable',
        );
      }
    };
    let done = false;
    const dispatched = dispatch().then(() => {
      done = true;
    });
    const read = async (limit: number): Promise<readonly string[]> => {
      const seen: string[] = [];
      for (let after = await placeOf({ kind: 'oldest' }); ; ) {
        const wasDone = done;
        const next = await page(after, { limit });
        seen.push(...ids(next.messages));
        after = next.next;
        if (wasDone && !next.more) return seen;
      }
    };
    const readers = await Promise.all([read(3), read(50), read(500)]);
    await dispatched;
    for (const seen of readers) expect(seen).toEqual(ids(told));
  });

  test('who reads on from the end stands at the checkpoint, and a checkpoint that went back moves nobody back', async () => {
    const [first, second] = [1, 9].map((position) => messageOf(platform, { position }));
    if (first === undefined || second === undefined) throw new Error('two messages');
    await tell(worker, { platform, to: 7 }, [first]);
    const end = await from();
    expect(end.next.position).toBe(7);
    await tell(worker, { platform, to: 3 }, []);
    expect(await page(end.next)).toEqual({ messages: [], more: false, next: end.next });
    await tell(worker, { platform, to: 9 }, [second]);
    expect(ids((await page(end.next)).messages)).toEqual([second.id]);
  });
});

describe('a cursor', () => {
  const week = 7 * 24 * 3_600_000;

  test('is a message that the reader could have, and nothing else', async () => {
    const [client, other] = [stream(), stream()];
    const told = [1, 2].map((position) => messageOf(platform, { position, audience: [client] }));
    await tell(worker, { platform, to: 2 }, told);
    const [first, second] = ids(told);
    const cursor = { kind: 'message', id: first ?? '' } as const;
    for (const audience of [everything, { kind: 'reader', id: client } as const])
      expect(ids((await page(await placeOf(cursor, audience), { audience })).messages)).toEqual([second]);
    for (const audience of [{ kind: 'reader', id: other } as const, { kind: 'about', id: client } as const])
      expect(await find(cursor, audience)).toMatchObject({ kind: 'gone', oldest: 1 });
    expect(await find({ kind: 'message', id: uuidv7(Date.now()) })).toMatchObject({ kind: 'gone', oldest: 1 });
  });

  test('is a position that the log has, of its lineage', async () => {
    await grow(3);
    await tell(worker, { platform, to: 2 }, [messageOf(platform, { position: 2 })]);
    const { lineage } = (await find({ kind: 'latest' })) ?? { lineage: '' };
    expect(lineage).toMatch(/^[0-9a-f]{8}$/);
    expect(await find({ kind: 'position', position: 0, lineage: null })).toMatchObject({ kind: 'found', place: { position: 0 } });
    expect(await find({ kind: 'position', position: 3, lineage })).toMatchObject({ kind: 'found', place: { position: 3 } });
    expect(await find({ kind: 'position', position: 3, lineage: '00000000' })).toMatchObject({ kind: 'gone' });
    expect(await find({ kind: 'position', position: 4, lineage: null })).toMatchObject({ kind: 'gone', oldest: 2 });
    expect(await placeOf({ kind: 'latest' })).toMatchObject({ position: 2 });
    expect(await placeOf({ kind: 'oldest' })).toMatchObject({ position: 1 });
  });

  test('is gone where a week between it and now is kept no more, even if an older one is', async () => {
    await grow(3);
    const monday = (at: number): Date => new Date(at - ((new Date(at).getUTCDay() + 6) % 7) * 24 * 3_600_000);
    const weeks = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1].map((ago) =>
      monday(Date.now() - ago * week)
        .toISOString()
        .slice(0, 10),
    );
    const makeWeek = async (day: string): Promise<void> => {
      for (const parent of ['message', 'message_audience', 'delivery_done', 'attempt'])
        await database.asSuperuser(
          `do $$ declare d timestamptz := '${day}T00:00:00Z'; begin
             execute format('create table grantlog.%I partition of grantlog.%I for values from (%L) to (%L)',
               '${parent}_' || to_char(d at time zone 'utc', 'IYYY_IW'), '${parent}',
               grantlog.uuid_v7_floor(d), grantlog.uuid_v7_floor(d + interval '7 days')); end $$`,
        );
    };
    // The rest of the tests' own database keeps what is earlier in one partition.
    for (const parent of ['message', 'message_audience', 'delivery_done', 'attempt'])
      await database.asSuperuser(`drop table grantlog.${parent}_before`);
    // Ten weeks back there is one, then one is missing.
    for (const day of weeks.filter((_, index) => index !== 1)) await makeWeek(day);
    const at = [10, 8, 0].map((ago) => Date.now() - ago * week);
    const told = at.map((each, index) => messageOf(platform, { position: index + 1, at: each }));
    await tell(worker, { platform, to: 3 }, told);
    const keptIds = ids((await from()).messages);
    expect(keptIds).toEqual(ids(told).slice(1));
    expect(await find({ kind: 'message', id: told[0]?.id ?? '' })).toMatchObject({ kind: 'gone', oldest: 2 });
    expect(await find({ kind: 'message', id: told[1]?.id ?? '' })).toMatchObject({ kind: 'found' });
  });
});

describe('a position', () => {
  test('is gone where what comes next was told before everything that is kept', async () => {
    await grow(2);
    const rewrite = (since: string) =>
      database.asSuperuser(
        `create or replace function grantlog.messages_kept_since() returns timestamptz language sql stable as $$ select ${since} $$`,
      );
    await rewrite("now() + interval '1 hour'");
    expect(await find({ kind: 'position', position: 1, lineage: null })).toMatchObject({ kind: 'gone', oldest: null });
    expect(await find({ kind: 'position', position: 2, lineage: null })).toMatchObject({ kind: 'found' });
    await rewrite("now() - interval '1 hour'");
    expect(await find({ kind: 'position', position: 1, lineage: null })).toMatchObject({ kind: 'found' });
  });
});

describe('who waits', () => {
  test('is told of news of theirs alone, all by one question', async () => {
    const [client, other, grant] = [stream(), stream(), stream()];
    const told = messageOf(platform, { position: 4, subject: grant, audience: [client] });
    await tell(worker, { platform, to: 4 }, [told]);
    const [before, after] = [await placeOf({ kind: 'oldest' }), await placeOf({ kind: 'latest' })];
    const feeds = [
      { platform, audience: everything, after: before },
      { platform, audience: everything, after },
      { platform, audience: { kind: 'reader', id: client } as const, after: before },
      { platform, audience: { kind: 'reader', id: other } as const, after: before },
      { platform, audience: { kind: 'about', id: grant } as const, after: before },
      { platform, audience: { kind: 'about', id: grant } as const, after },
    ];
    expect(await feedsWithNews(ours.pool, feeds)).toEqual([0, 2, 4]);
    expect(await feedsWithNews(ours.pool, [])).toEqual([]);
  });
});
