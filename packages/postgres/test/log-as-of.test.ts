import type { PlatformId } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { logAsOf } from '../src/index.ts';
import { appended, commitOf, newStandingStream, newStream, write } from './support/commits.ts';
import { createTestDatabase, type TestDatabase } from './support/test-database.ts';
import { newPlatform, openTestLog, type TestLog } from './support/test-log.ts';

let database: TestDatabase;
let ours: TestLog;
let platform: PlatformId;
beforeAll(async () => {
  database = await createTestDatabase('log_as_of');
  ours = openTestLog(database.url);
  platform = await newPlatform(ours.pool);
});
afterAll(async () => {
  await ours.close();
  await database.drop();
});

test('gives each stream as it stood at a position, followed ones included, by the clock of that moment', async () => {
  const [client, grant] = [newStandingStream(), newStream()];
  const positions: number[] = [];
  const append = async (...writes: Parameters<typeof commitOf>[0]) =>
    void positions.push(appended(await ours.log.append(platform, commitOf(writes))).position);
  await append(write(client, 0));
  await append(write(grant, 0, [{ type: 'grant.authorized', data: { client } }]));
  await append(write(client, 1));
  await append(write(grant, 1));
  const versions = async (position: number) => {
    const loaded = await logAsOf(ours.pool, { platform, position, now: 42 }).load(platform, [{ streamId: grant, follow: true }]);
    expect(loaded.now).toBe(42);
    expect(loaded.stream(grant).events).toHaveLength(loaded.stream(grant).version);
    return [loaded.stream(client).version, loaded.stream(grant).version];
  };
  const [one = 0, two = 0, three = 0, four = 0] = positions;
  expect(await Promise.all([one - 1, one, two, three, four, four + 100].map(versions))).toEqual([
    [0, 0],
    [1, 0],
    [1, 1],
    [2, 1],
    [2, 2],
    [2, 2],
  ]);
});

test('is of one platform: of another it says nothing', async () => {
  const other = await newPlatform(ours.pool);
  const log = logAsOf(ours.pool, { platform, position: 1_000, now: 42 });
  await expect(log.load(other, [{ streamId: newStream() }])).rejects.toThrow(`is none of ${other}`);
});
