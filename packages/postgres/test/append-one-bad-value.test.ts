import type { Commit, CommitId, StreamId } from '@grantlog/eventsourcing';
import { RejectedByDatabase } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { appended, commitOf, newStandingStream, newStream, write } from './support/commits.ts';
import { readAll } from './support/event-table.ts';
import type { TestDatabase } from './support/test-database.ts';
import { createTestDatabase } from './support/test-database.ts';
import { newPlatform, openTestLog, type TestLog } from './support/test-log.ts';

let database: TestDatabase;
let ours: TestLog;
beforeAll(async () => {
  database = await createTestDatabase('bad_value');
  ours = openTestLog(database.url);
});
afterAll(async () => {
  await ours.close();
  await database.drop();
});

const event = (data: object, type = 'counter.increased') => ({ type, data });
const lastCentury = '01100000-0000-7000-8000-000000000000' as StreamId;
const pastEveryPartition = 'f0000000-0000-7000-8000-000000000000' as StreamId;

const bad: Readonly<Record<string, () => Commit>> = {
  'NUL in a text': () => commitOf([write(newStream(), 0, [event({ text: 'a\0b' })])]),
  'a lone surrogate in a text': () => commitOf([write(newStream(), 0, [event({ text: 'a\ud800b' })])]),
  'NUL in a key': () => commitOf([write(newStream(), 0, [event({ 'a\0': 1 })])]),
  'NUL in the correlation id': () => commitOf([write(newStream(), 0)], { correlationId: 'a\0b' }),
  'NUL in the actor': () => commitOf([write(newStream(), 0)], { actor: { kind: 'system', id: '\0' } }),
  'data that is no object': () => commitOf([write(newStream(), 0, [event([1, 2])])]),
  'data that JSON cannot say': () => commitOf([write(newStream(), 0, [event({ count: 1n })])]),
  'data that contains itself': () => {
    const data: Record<string, unknown> = {};
    data['self'] = data;
    return commitOf([write(newStream(), 0, [event(data)])]);
  },
  'a type that is not aggregate.fact': () => commitOf([write(newStream(), 0, [event({}, 'Increased')])]),
  'a schema version beyond smallint': () => commitOf([write(newStream(), 0, [{ ...event({}), schemaVersion: 70_000 }])]),
  'a stream id that is no UUID': () => commitOf([write('not-a-uuid' as StreamId, 0)]),
  'a commit id that is no UUID': () => commitOf([write(newStream(), 0)], { commitId: 'x' as CommitId }),
  'a read of what is no UUID': () => commitOf([write(newStream(), 0)], { reads: [{ streamId: '' as StreamId, expected: 0 }] }),
  'a version that is no integer': () => commitOf([write(newStream(), 0.5)]),
  'a stream beyond every partition': () => commitOf([write(pastEveryPartition, 0)]),
  'one stream written twice from one version': () => {
    const stream = newStream();
    return commitOf([write(stream, 0), write(stream, 0)]);
  },
};

describe('a value that Postgres refuses', () => {
  test.each(Object.entries(bad))('%s fails its own commit alone, at once', async (_, make) => {
    const platform = await newPlatform(ours.pool);
    // The first travels alone; while it does, all others gather in the next batch.
    const first = ours.log.append(platform, commitOf([write(newStream(), 0)]));
    const neighbours = [1, 2, 3].map(() => ours.log.append(platform, commitOf([write(newStream(), 0), write(newStandingStream(), 0)])));
    const started = performance.now();
    const offender = ours.log.append(platform, make());
    const late = [4, 5].map(() => ours.log.append(platform, commitOf([write(newStream(), 0)])));
    await expect(offender).rejects.toBeInstanceOf(RejectedByDatabase);
    expect(performance.now() - started).toBeLessThan(2_000);
    for (const neighbour of [first, ...neighbours, ...late]) appended(await neighbour);
    expect((await readAll(database, platform)).map((row) => row.position)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('in a load fails that load alone', async () => {
    const platform = await newPlatform(ours.pool);
    const [good, misleading] = [newStream(), newStream()];
    await ours.log.append(platform, commitOf([write(good, 0)]));
    await ours.log.append(platform, commitOf([write(misleading, 0, [event({ client: 'not a stream' })])]));
    const outcomes = await Promise.allSettled([
      ours.log.load(platform, [{ streamId: good }]),
      ours.log.load(platform, [{ streamId: 'not-a-uuid' as StreamId }]),
      ours.log.load(platform, [{ streamId: misleading, follow: true }]),
      ours.log.load(platform, [{ streamId: good, follow: true }]),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
  });

  test('leaves streams of the past their own partition', async () => {
    const platform = await newPlatform(ours.pool);
    expect((await ours.log.append(platform, commitOf([write(lastCentury, 0)]))).outcome).toBe('appended');
  });
});
