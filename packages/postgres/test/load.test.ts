import { randomUUID } from 'node:crypto';
import type { PlatformId } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { insertCredentials, insertDataKey, readEventsAfter, readEventsAt, readHead, readStream } from '../src/index.ts';
import { appended, commitOf, newStandingStream, newStream, write } from './support/commits.ts';
import type { TestDatabase } from './support/test-database.ts';
import { createTestDatabase } from './support/test-database.ts';
import { newPlatform, openTestLog, type TestLog } from './support/test-log.ts';

let database: TestDatabase;
let ours: TestLog;
let platform: PlatformId;
beforeAll(async () => {
  database = await createTestDatabase('load');
  ours = openTestLog(database.url);
});
beforeEach(async () => {
  platform = await newPlatform(ours.pool);
});
afterAll(async () => {
  await ours.close();
  await database.drop();
});

const opened = (data: object) => [{ type: 'grant.authorized', data }];

describe('load', () => {
  test('gives a stream in which nothing stands at version 0', async () => {
    const stream = newStream();
    expect((await ours.log.load(platform, [{ streamId: stream }])).stream(stream)).toEqual({
      streamId: stream,
      version: 0,
      snapshot: null,
      events: [],
      credentials: [],
      dataKey: null,
    });
  });

  test('gives every event of a stream in order, with the clock of the database', async () => {
    const stream = newStream();
    for (let version = 0; version < 5; version += 1)
      await ours.log.append(platform, commitOf([write(stream, version), write(newStream(), 0)]));
    const loaded = await ours.log.load(platform, [{ streamId: stream }]);
    expect(loaded.stream(stream).version).toBe(5);
    expect(loaded.stream(stream).events.map(({ version, position }) => [version, position])).toEqual(
      [1, 2, 3, 4, 5].map((n) => [n, 2 * n - 1]),
    );
    expect(loaded.now).toBeGreaterThanOrEqual(loaded.stream(stream).events.at(-1)?.recordedAt ?? Number.POSITIVE_INFINITY);
    expect(Math.abs(loaded.now - Date.now())).toBeLessThan(5_000);
  });

  test('follows the streams that the first event names, in the same answer', async () => {
    const [client, account, session, owner, grant] = [
      newStandingStream(),
      newStandingStream(),
      newStream(),
      newStandingStream(),
      newStream(),
    ];
    await ours.log.append(platform, commitOf([client, account, session, owner].map((stream, index) => write(stream, 0, index + 1))));
    await ours.log.append(platform, commitOf([write(grant, 0, opened({ client, account, session, owner }))]));
    await ours.log.append(platform, commitOf([write(grant, 1, opened({ client: newStandingStream() }))]));
    const loaded = await ours.log.load(platform, [{ streamId: grant, follow: true }]);
    expect([client, account, session, owner, grant].map((stream) => loaded.stream(stream).version)).toEqual([1, 2, 3, 4, 2]);
  });

  test('follows nothing where a name is null or missing, and nothing unless asked', async () => {
    const [client, grant, plain] = [newStandingStream(), newStream(), newStream()];
    await ours.log.append(
      platform,
      commitOf([write(client, 0), write(grant, 0, opened({ client, account: null })), write(plain, 0, opened({ client }))]),
    );
    const loaded = await ours.log.load(platform, [{ streamId: grant, follow: true }]);
    expect(loaded.stream(client).version).toBe(1);
    const unfollowed = await ours.log.load(platform, [{ streamId: plain }]);
    expect(() => unfollowed.stream(client)).toThrow('was not loaded');
  });

  test('gives a named stream once, also when it is asked for itself or named twice', async () => {
    const [client, one, two] = [newStandingStream(), newStream(), newStream()];
    await ours.log.append(
      platform,
      commitOf([write(client, 0, 3), write(one, 0, opened({ client })), write(two, 0, opened({ client, owner: client }))]),
    );
    const loaded = await ours.log.load(platform, [{ streamId: client }, { streamId: one, follow: true }, { streamId: two, follow: true }]);
    expect(loaded.stream(client).events.map(({ version }) => version)).toEqual([1, 2, 3]);
  });

  test('gives nothing of another platform, though the stream has the same id', async () => {
    const stream = newStream();
    const other = await newPlatform(ours.pool);
    await ours.log.append(other, commitOf([write(stream, 0, 2)]));
    await insertDataKey(ours.pool, { platform: other, subject: stream, sealed: Uint8Array.of(1) });
    const loads = await Promise.all([platform, other].map((one) => ours.log.load(one, [{ streamId: stream, withSecrets: true }])));
    expect(loads.map((loaded) => [loaded.stream(stream).version, loaded.stream(stream).dataKey === null])).toEqual([
      [0, true],
      [2, false],
    ]);
  });

  test('gives secrets only where they are asked for: the newest of each id, the data key, those of named streams too', async () => {
    const [client, grant] = [newStandingStream(), newStream()];
    const [first, second] = [randomUUID(), randomUUID()];
    const secret = (id: string, byte: number) => ({ platform, owner: client, id, kind: 'client_secret', sealed: Uint8Array.of(byte) });
    await insertCredentials(ours.pool, [secret(first, 1), secret(second, 2)]);
    await insertCredentials(ours.pool, [secret(first, 3)]);
    expect(await insertDataKey(ours.pool, { platform, subject: client, sealed: Uint8Array.of(7) })).toEqual(Buffer.of(7));
    expect(await insertDataKey(ours.pool, { platform, subject: client, sealed: Uint8Array.of(8) })).toEqual(Buffer.of(7));
    await ours.log.append(platform, commitOf([write(client, 0), write(grant, 0, opened({ client }))]));

    const withSecrets = (await ours.log.load(platform, [{ streamId: grant, follow: true, withSecrets: true }])).stream(client);
    expect(new Map(withSecrets.credentials.map(({ id, sealed }) => [id, sealed[0]]))).toEqual(
      new Map([
        [first, 3],
        [second, 2],
      ]),
    );
    expect(withSecrets.dataKey).toEqual(Buffer.of(7));
    const without = (await ours.log.load(platform, [{ streamId: grant, follow: true }])).stream(client);
    expect([without.credentials, without.dataKey]).toEqual([[], null]);
  });

  test('sees whatever was appended before it began, at any concurrency', async () => {
    const [reader, writer] = [openTestLog(database.url), openTestLog(database.url)];
    const check = async (): Promise<void> => {
      const stream = newStream();
      for (let version = 0; version < 40; version += 1) {
        await writer.log.append(platform, commitOf([write(stream, version)]));
        // Other loads of the same stream are in flight at every moment.
        const loads = await Promise.all([0, 1].map(() => reader.log.load(platform, [{ streamId: stream }])));
        for (const loaded of loads) expect(loaded.stream(stream).version).toBe(version + 1);
      }
    };
    await Promise.all(Array.from({ length: 20 }, check));
    await Promise.all([reader.close(), writer.close()]);
  });

  test('shows a commit of several streams wholly or not at all, while it is being made', async () => {
    const streams = [newStream(), newStandingStream(), newStream()];
    const writer = openTestLog(database.url);
    let writing = true;
    const writes = (async () => {
      for (let version = 0; version < 150; version += 1) {
        appended(await writer.log.append(platform, commitOf(streams.map((stream) => write(stream, version)))));
      }
      writing = false;
    })();
    const seen = new Set<number>();
    while (writing) {
      const loaded = await ours.log.load(
        platform,
        streams.map((streamId) => ({ streamId })),
      );
      const versions = new Set(streams.map((stream) => loaded.stream(stream).version));
      expect(versions.size).toBe(1);
      for (const version of versions) seen.add(version);
    }
    await writes;
    await writer.close();
    expect(seen.size).toBeGreaterThan(5);
  });
});

describe('reading the log in order', () => {
  test('gives the events after a position, at most so many, and the head', async () => {
    const stream = newStream();
    expect(await readHead(ours.pool, platform)).toBe(0);
    await ours.log.append(platform, commitOf([write(stream, 0, 4), write(newStandingStream(), 0, 3)]));
    const read = async (after: number, limit: number) =>
      (await readEventsAfter(ours.pool, { platform, after, limit })).map(({ position }) => position);
    expect(await read(0, 3)).toEqual([1, 2, 3]);
    expect(await read(3, 500)).toEqual([4, 5, 6, 7]);
    expect(await read(7, 500)).toEqual([]);
    expect(await readHead(ours.pool, platform)).toBe(7);
    expect((await readStream(ours.pool, { platform, streamId: stream })).map(({ version }) => version)).toEqual([1, 2, 3, 4]);
  });

  test('gives the same event as a load does', async () => {
    const stream = newStream();
    await ours.log.append(
      platform,
      commitOf([write(stream, 0, [{ type: 'counter.increased', data: { a: [1] }, personal: Uint8Array.of(9) }])], { causationId: 'c' }),
    );
    const loaded = (await ours.log.load(platform, [{ streamId: stream }])).stream(stream).events;
    expect(await readEventsAfter(ours.pool, { platform, after: 0, limit: 1 })).toEqual(loaded);
    expect(await readStream(ours.pool, { platform, streamId: stream })).toEqual(loaded);
  });

  test('gives the events at places of their streams, in order, and nothing where nothing stands', async () => {
    const [one, other] = [newStream(), newStandingStream()];
    const [elsewhere] = [newStream()];
    await ours.log.append(platform, commitOf([write(one, 0, 3), write(other, 0, 3)]));
    const all = await readEventsAfter(ours.pool, { platform, after: 0, limit: 10 });
    const places = [
      ...all.filter(({ version }) => version !== 2),
      { streamId: elsewhere, version: 1 },
      { streamId: one, version: 9 },
      { streamId: one, version: 0 },
    ];
    const read = await readEventsAt(ours.pool, { platform, places: places.toReversed() });
    expect(read).toEqual(all.filter(({ version }) => version !== 2));
    expect(read).toHaveLength(4);
    expect(await readEventsAt(ours.pool, { platform: await newPlatform(ours.pool), places })).toEqual([]);
    expect(await readEventsAt(ours.pool, { platform, places: [] })).toEqual([]);
  });

  test('gives the floor as the head of a log whose events are gone', async () => {
    await database.asSuperuser('update grantlog.log set floor = 12 where platform = $1', [platform]);
    expect(await readHead(ours.pool, platform)).toBe(12);
  });
});
