import { randomUUID } from 'node:crypto';
import type { CommitId, PlatformId } from '@grantlog/eventsourcing';
import { UnknownPlatform } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { appendBatch } from '../src/index.ts';
import { appended, commitOf, newStandingStream, newStream, write } from './support/commits.ts';
import { readAll } from './support/event-table.ts';
import type { TestDatabase } from './support/test-database.ts';
import { createTestDatabase } from './support/test-database.ts';
import { newPlatform, openTestLog, type TestLog } from './support/test-log.ts';

let database: TestDatabase;
let ours: TestLog;
let platform: PlatformId;

beforeAll(async () => {
  database = await createTestDatabase('append');
  ours = openTestLog(database.url);
});
afterAll(async () => {
  await ours.close();
  await database.drop();
});

describe('append', () => {
  test('gives versions from 1 within a stream and positions from 1 within a platform, without a gap', async () => {
    platform = await newPlatform(ours.pool);
    const [a, b] = [newStream(), newStandingStream()];
    expect(appended(await ours.log.append(platform, commitOf([write(a, 0, 2)]))).position).toBe(1);
    expect(appended(await ours.log.append(platform, commitOf([write(b, 0, 1), write(a, 2, 3)]))).position).toBe(3);
    expect((await readAll(database, platform)).map(({ position, stream, version }) => [position, stream, version])).toEqual([
      [1, a, 1],
      [2, a, 2],
      [3, b, 1],
      [4, a, 3],
      [5, a, 4],
      [6, a, 5],
    ]);
    const other = await newPlatform(ours.pool);
    expect(appended(await ours.log.append(other, commitOf([write(a, 0)]))).position).toBe(1);
  });

  test('answers the clock of the database at which the events were recorded', async () => {
    platform = await newPlatform(ours.pool);
    const stream = newStream();
    const { recordedAt } = appended(await ours.log.append(platform, commitOf([write(stream, 0)])));
    expect(Math.abs(recordedAt - Date.now())).toBeLessThan(5_000);
    const loaded = await ours.log.load(platform, [{ streamId: stream }]);
    expect(loaded.stream(stream).events[0]?.recordedAt).toBe(recordedAt);
  });

  test('refuses a commit that expects another version than the current one, lower or higher', async () => {
    platform = await newPlatform(ours.pool);
    const stream = newStream();
    await ours.log.append(platform, commitOf([write(stream, 0, 2)]));
    for (const expected of [0, 1, 3]) {
      expect(await ours.log.append(platform, commitOf([write(stream, expected)]))).toEqual({ outcome: 'conflict' });
    }
    expect(await readAll(database, platform)).toHaveLength(2);
  });

  test('refuses a commit whose read stream has moved, and writes nothing of it', async () => {
    platform = await newPlatform(ours.pool);
    const [client, grant] = [newStandingStream(), newStream()];
    await ours.log.append(platform, commitOf([write(client, 0, 2)]));
    const reads = (expected: number) => ({ reads: [{ streamId: client, expected }] });
    expect(await ours.log.append(platform, commitOf([write(grant, 0)], reads(1)))).toEqual({ outcome: 'conflict' });
    expect(await readAll(database, platform)).toHaveLength(2);
    expect(appended(await ours.log.append(platform, commitOf([write(grant, 0)], reads(2)))).position).toBe(3);
  });

  test('takes a read of a stream in which nothing stands as version 0', async () => {
    platform = await newPlatform(ours.pool);
    const [free, taken] = [newStream(), newStream()];
    await ours.log.append(platform, commitOf([write(taken, 0)]));
    const claim = (streamId: typeof free) => commitOf([write(newStream(), 0)], { reads: [{ streamId, expected: 0 }] });
    expect((await ours.log.append(platform, claim(free))).outcome).toBe('appended');
    expect((await ours.log.append(platform, claim(taken))).outcome).toBe('conflict');
  });

  test('writes a commit of several streams wholly or not at all', async () => {
    platform = await newPlatform(ours.pool);
    const streams = [newStream(), newStream(), newStream()] as const;
    await ours.log.append(platform, commitOf([write(streams[1], 0)]));
    expect(await ours.log.append(platform, commitOf(streams.map((stream) => write(stream, 0, 2))))).toEqual({ outcome: 'conflict' });
    expect(await readAll(database, platform)).toHaveLength(1);
    const commit = commitOf([write(streams[0], 0, 2), write(streams[1], 1), write(streams[2], 0)]);
    expect(appended(await ours.log.append(platform, commit)).position).toBe(2);
    expect((await readAll(database, platform)).filter((row) => row.commit === commit.commitId).map((row) => row.position)).toEqual([
      2, 3, 4, 5,
    ]);
  });

  test('gives the winners of a batch the next positions in its order, past its losers', async () => {
    platform = await newPlatform(ours.pool);
    const taken = newStream();
    await appendBatch(ours.pool, platform, [commitOf([write(taken, 0)])]);
    const batch = [0, 1, 2, 3, 4].map((index) => commitOf([write(index % 2 === 0 ? newStream() : taken, 0, index + 1)]));
    const answers = await appendBatch(ours.pool, platform, batch);
    expect(answers.map((answer) => (answer.outcome === 'appended' ? answer.position : null))).toEqual([2, null, 3, null, 6]);
    expect((await readAll(database, platform)).map((row) => row.position)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('answers a commit asked for again with where it stands, and appends it once', async () => {
    platform = await newPlatform(ours.pool);
    const [a, b] = [newStream(), newStream()];
    const commit = commitOf([write(a, 0, 2), write(b, 0)]);
    const first = appended(await ours.log.append(platform, commit));
    await ours.log.append(platform, commitOf([write(a, 2), write(b, 1)]));
    expect(await ours.log.append(platform, commit)).toEqual(first);
    expect(await readAll(database, platform)).toHaveLength(5);
  });

  test('recognises commits asked for again in a batch with new ones', async () => {
    platform = await newPlatform(ours.pool);
    const old = [commitOf([write(newStream(), 0)]), commitOf([write(newStream(), 0, 2)])];
    const before = await appendBatch(ours.pool, platform, old);
    const again = await appendBatch(ours.pool, platform, [commitOf([write(newStream(), 0)]), ...old, commitOf([write(newStream(), 0)])]);
    expect(again.slice(1, 3)).toEqual(before);
    expect([again[0], again[3]].map((answer) => appended(answer).position)).toEqual([4, 5]);
  });

  test('does not take another commit on the same version for one asked for again', async () => {
    platform = await newPlatform(ours.pool);
    const commit = commitOf([write(newStream(), 0)]);
    await ours.log.append(platform, commit);
    expect(await ours.log.append(platform, { ...commit, commitId: randomUUID() as CommitId })).toEqual({ outcome: 'conflict' });
  });

  test('raises for a platform that has no log', async () => {
    const nowhere = 'nowhere' as PlatformId;
    await expect(ours.log.append(nowhere, commitOf([write(newStream(), 0)]))).rejects.toBeInstanceOf(UnknownPlatform);
  });

  test('gives no position at or below the floor of the log', async () => {
    platform = await newPlatform(ours.pool);
    await database.asSuperuser('update grantlog.log set floor = 41 where platform = $1', [platform]);
    expect(appended(await ours.log.append(platform, commitOf([write(newStream(), 0)]))).position).toBe(42);
    expect(appended(await ours.log.append(platform, commitOf([write(newStream(), 0)]))).position).toBe(43);
  });

  test('keeps an event as it was given: data, personal bytes, schema version, actor, correlation and cause', async () => {
    platform = await newPlatform(ours.pool);
    const stream = newStream();
    const personal = Uint8Array.of(0, 1, 254, 255);
    const data = { text: 'naïve 😀 \\ " \n', nested: { list: [1, 2.5, null, true, { deep: '' }] }, big: 2 ** 53 };
    const commit = commitOf([write(stream, 0, [{ type: 'counter.increased', data, schemaVersion: 3, personal }])], {
      actor: { kind: 'operator', id: 'o"\\,{}' },
      correlationId: 'a "quoted", {braced} \\ one',
      causationId: 'null',
    });
    const { position, recordedAt } = appended(await ours.log.append(platform, commit));
    const [event] = (await ours.log.load(platform, [{ streamId: stream }])).stream(stream).events;
    expect({ ...event, personal: new Uint8Array(event?.personal ?? []) }).toEqual({
      platform,
      streamId: stream,
      version: 1,
      position,
      recordedAt,
      commitId: commit.commitId,
      type: 'counter.increased',
      schemaVersion: 3,
      data,
      personal,
      actor: commit.actor,
      correlationId: commit.correlationId,
      causationId: 'null',
    });
  });

  test('keeps empty values apart from missing ones', async () => {
    platform = await newPlatform(ours.pool);
    const stream = newStream();
    const empty = { type: 'counter.increased', data: {} };
    await ours.log.append(
      platform,
      commitOf([write(stream, 0, [{ ...empty, personal: new Uint8Array() }, empty])], { correlationId: '', causationId: '' }),
    );
    await ours.log.append(platform, commitOf([write(stream, 2, [empty])]));
    const { events } = (await ours.log.load(platform, [{ streamId: stream }])).stream(stream);
    expect(events.map((event) => event.personal?.byteLength ?? null)).toEqual([0, null, null]);
    expect(events.map((event) => event.causationId)).toEqual(['', '', null]);
    expect(events.map((event) => event.data)).toEqual([{}, {}, {}]);
  });
});
