import type { JsonValue, LoadedStream, PlatformId, StreamId } from '@grantlog/eventsourcing';
import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createPool, snapshotVersions, transaction, upsertSnapshots } from '../src/index.ts';
import { commitOf, newStandingStream, newStream, write } from './support/commits.ts';
import type { TestDatabase } from './support/test-database.ts';
import { createTestDatabase } from './support/test-database.ts';
import { newPlatform, openTestLog, sealer, type TestLog } from './support/test-log.ts';

let database: TestDatabase;
let worker: pg.Pool;
let ours: TestLog;
let platform: PlatformId;
const onTampered = vi.fn();

beforeAll(async () => {
  database = await createTestDatabase('snapshots');
  worker = createPool({ connectionString: database.url, role: 'grantlog_worker', max: 2 });
  ours = openTestLog(database.url, { onTampered });
});
beforeEach(async () => {
  platform = await newPlatform(ours.pool);
  onTampered.mockClear();
});
afterAll(async () => {
  await ours.close();
  await worker.end();
  await database.drop();
});

type Sum = { readonly total: number; readonly seen: readonly number[]; readonly note: string };
const nothing: Sum = { total: 0, seen: [], note: 'naïve " \n 😀' };
const evolve = (state: Sum, event: { readonly data: object; readonly version: number }): Sum => ({
  ...state,
  total: state.total + ('by' in event.data ? Number(event.data.by) : 0),
  seen: [...state.seen, event.version],
});
// The snapshot was written by this suite's own evolve.
const foldSum = (stream: LoadedStream): Sum =>
  stream.events.reduce(evolve, stream.snapshot === null ? nothing : (stream.snapshot.state as unknown as Sum));

const snapshot = (
  streamId: StreamId,
  version: number,
  state: JsonValue,
  follows: readonly StreamId[] = [],
  foldVersion = 1,
): Promise<void> =>
  transaction(worker, (client) =>
    upsertSnapshots(client, { snapshots: [{ platform, streamId, version, follows, state: JSON.stringify(state) }], foldVersion, sealer }),
  );

/** A stream of 5 events with a snapshot at 3, which says something that the events do not, so that its use shows. */
const snapshotted = async (): Promise<StreamId> => {
  const stream = newStream();
  await ours.log.append(platform, commitOf([write(stream, 0, 5)]));
  await snapshot(stream, 3, { marked: true });
  return stream;
};
const loadOne = async (streamId: StreamId): Promise<LoadedStream> => (await ours.log.load(platform, [{ streamId }])).stream(streamId);

describe('a snapshot', () => {
  test('stands for the events up to its version', async () => {
    const loaded = await loadOne(await snapshotted());
    expect(loaded.snapshot).toEqual({ version: 3, state: { marked: true } });
    expect(loaded.events.map(({ version }) => version)).toEqual([4, 5]);
    expect(loaded.version).toBe(5);
  });

  test('with the tail folds to the same as all events, wherever it stands', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({ amounts: fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 12 }), at: fc.nat({ max: 12 }) }),
          { minLength: 1, maxLength: 6 },
        ),
        async (plans) => {
          const streams = plans.map(({ amounts, at }) => ({ streamId: newStream(), amounts, at: Math.min(at, amounts.length) }));
          const events = (amounts: readonly number[]) => amounts.map((by) => ({ type: 'counter.increased', data: { by } }));
          await ours.log.append(platform, commitOf(streams.map(({ streamId, amounts }) => write(streamId, 0, events(amounts)))));
          const requests = streams.map(({ streamId }) => ({ streamId }));
          const whole = await ours.log.load(platform, requests);
          for (const { streamId, at } of streams) {
            if (at > 0) await snapshot(streamId, at, whole.stream(streamId).events.slice(0, at).reduce(evolve, nothing));
          }
          const short = await ours.log.load(platform, requests);
          for (const { streamId, at, amounts } of streams) {
            expect(short.stream(streamId).snapshot?.version ?? 0).toBe(at);
            expect(short.stream(streamId).version).toBe(amounts.length);
            expect(foldSum(short.stream(streamId))).toEqual(foldSum(whole.stream(streamId)));
          }
        },
      ),
      { numRuns: 40 },
    );
    expect(onTampered).not.toHaveBeenCalled();
  });

  test('of another fold version is not seen, and both stand side by side', async () => {
    const stream = await snapshotted();
    await snapshot(stream, 5, { of: 'fold 2' }, [], 2);
    const next = openTestLog(database.url, { foldVersion: 2 });
    expect((await loadOne(stream)).snapshot?.state).toEqual({ marked: true });
    expect((await next.log.load(platform, [{ streamId: stream }])).stream(stream).snapshot?.state).toEqual({ of: 'fold 2' });
    await next.close();
    const future = openTestLog(database.url, { foldVersion: 3 });
    expect((await future.log.load(platform, [{ streamId: stream }])).stream(stream).events).toHaveLength(5);
    await future.close();
  });

  test('names the streams to follow, when the first event is not read any more', async () => {
    const [client, grant] = [newStandingStream(), newStream()];
    await ours.log.append(platform, commitOf([write(client, 0, 2), write(grant, 0, [{ type: 'grant.authorized', data: { client } }])]));
    await snapshot(grant, 1, { marked: true }, [client]);
    const loaded = await ours.log.load(platform, [{ streamId: grant, follow: true }]);
    expect([loaded.stream(grant).events.length, loaded.stream(client).version]).toEqual([0, 2]);
  });

  test('is only ever written forward', async () => {
    const stream = await snapshotted();
    await snapshot(stream, 2, { older: true });
    await snapshot(stream, 3, { same: true });
    expect((await loadOne(stream)).snapshot).toEqual({ version: 3, state: { marked: true } });
    await snapshot(stream, 4, { newer: true });
    expect((await loadOne(stream)).snapshot).toEqual({ version: 4, state: { newer: true } });
    const other = newStream();
    const versions = await transaction(worker, (client) =>
      snapshotVersions(client, { platform, streamIds: [stream, other], foldVersion: 1 }),
    );
    expect(versions).toEqual(
      new Map([
        [stream, 4],
        [other, 0],
      ]),
    );
  });
});

describe('an edited snapshot row', () => {
  test.each([
    ['its state', `state = '{"marked":false}'`],
    ['its version, to hide events', 'version = 5'],
    ['its version, to show events twice', 'version = 2'],
    ['the streams that it names', `follows = array['00000000-0004-8000-8000-000000000001'::uuid]`],
    ['its MAC', `mac = decode(repeat('00', 32), 'hex')`],
    ['an empty MAC', `mac = ''`],
  ])('is noticed by %s, and the stream is read whole', async (_, edit) => {
    const stream = await snapshotted();
    await database.asSuperuser(`update grantlog.stream_state set ${edit} where platform = $1 and stream_id = $2`, [platform, stream]);
    const loaded = await loadOne(stream);
    expect(loaded.snapshot).toBeNull();
    expect(loaded.events.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5]);
    expect(onTampered).toHaveBeenCalledWith({ platform, streamId: stream });
  });

  test.each([
    [
      'stream',
      `update grantlog.stream_state t set state = f.state, version = f.version, mac = f.mac from grantlog.stream_state f
      where t.platform = $1 and t.stream_id = $3 and f.platform = $1 and f.stream_id = $2`,
    ],
    [
      'fold version',
      `insert into grantlog.stream_state select platform, $3, 1, version, follows, state, mac from grantlog.stream_state
      where platform = $1 and stream_id = $2 on conflict (platform, stream_id, fold_version) do update set state = excluded.state, mac = excluded.mac`,
    ],
  ])('is noticed when a genuine row of another %s takes its place', async (_, statement) => {
    const [good, revoked] = [await snapshotted(), await snapshotted()];
    await snapshot(good, 4, { better: true });
    await database.asSuperuser(statement, [platform, good, revoked]);
    expect((await loadOne(revoked)).snapshot).toBeNull();
    expect((await loadOne(good)).snapshot?.version).toBe(4);
    expect(onTampered).toHaveBeenCalledTimes(1);
  });

  test('changes nothing for its neighbours in the same load', async () => {
    const [good, forged] = [await snapshotted(), await snapshotted()];
    await database.asSuperuser(`update grantlog.stream_state set state = '{}' where stream_id = $1`, [forged]);
    const loads = await Promise.all([loadOne(good), loadOne(forged)]);
    expect(loads.map(({ version }) => version)).toEqual([5, 5]);
    expect(onTampered).toHaveBeenCalledTimes(1);
  });

  test('is believed by nobody only because the MAC is asked: without the check it would be', async () => {
    const stream = await snapshotted();
    await database.asSuperuser(`update grantlog.stream_state set state = '{"forged":true}' where stream_id = $1`, [stream]);
    const careless = openTestLog(database.url, { sealer: { ...sealer, checkMac: () => true } });
    expect((await careless.log.load(platform, [{ streamId: stream }])).stream(stream).snapshot?.state).toEqual({ forged: true });
    await careless.close();
  });
});
