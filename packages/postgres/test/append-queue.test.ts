import type { AppendResult, Commit, PlatformId, StreamId } from '@grantlog/eventsourcing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createAppendQueue } from '../src/log/append-queue.ts';
import { commitOf, newStream, write } from './support/commits.ts';
import { findingOf, plantInModule } from './support/planted.ts';

type CreateQueue = typeof createAppendQueue;

const platform = 'p' as PlatformId;
const streams: readonly StreamId[] = Array.from({ length: 5 }, newStream);
const streamAt = (index: number): StreamId => streams[index] ?? newStream();

const plans = fc.array(
  fc.record({
    writes: fc.uniqueArray(fc.nat({ max: 4 }), { minLength: 1, maxLength: 2 }),
    reads: fc.uniqueArray(fc.nat({ max: 4 }), { maxLength: 3 }),
    pause: fc.boolean(),
  }),
  { minLength: 2, maxLength: 40 },
);

const commitOfPlan = ({ writes, reads }: { readonly writes: readonly number[]; readonly reads: readonly number[] }): Commit =>
  commitOf(
    writes.map((index) => write(streamAt(index), 0)),
    { reads: reads.filter((index) => !writes.includes(index)).map((index) => ({ streamId: streamAt(index), expected: 0 })) },
  );

/** What every batch must keep to; answers the rule that one breaks. */
const brokenRule = (batch: readonly Commit[], limit: number): string | null => {
  if (batch.length > limit) return 'a batch over its limit';
  const touched = new Map<StreamId, 'read' | 'written'>();
  for (const commit of batch) {
    for (const { streamId } of commit.writes) if (touched.has(streamId)) return 'two commits on one stream';
    for (const { streamId } of commit.reads) if (touched.get(streamId) === 'written') return 'two commits on one stream';
    for (const { streamId } of commit.reads) touched.set(streamId, 'read');
    for (const { streamId } of commit.writes) touched.set(streamId, 'written');
  }
  return null;
};

const checkBatches = (createQueue: CreateQueue, batchLimit: number): Promise<void> =>
  fc.assert(
    fc.asyncProperty(plans, async (given) => {
      let inFlight = 0;
      const broken: string[] = [];
      const sent: Commit[] = [];
      const queue = createQueue({
        batchLimit,
        send: async (_, batch) => {
          inFlight += 1;
          if (inFlight > 1) broken.push('two appends in flight');
          const rule = brokenRule(batch, batchLimit);
          if (rule !== null) broken.push(rule);
          sent.push(...batch);
          await new Promise((resolve) => setImmediate(resolve));
          inFlight -= 1;
          return batch.map((): AppendResult => ({ outcome: 'appended', position: sent.length, recordedAt: 0 }));
        },
      });
      const answers: Promise<AppendResult>[] = [];
      for (const plan of given) {
        answers.push(queue.append(platform, commitOfPlan(plan)));
        if (plan.pause) await new Promise((resolve) => setImmediate(resolve));
      }
      const results = await Promise.all(answers);
      expect(broken).toEqual([]);
      // Whatever was not sent was overtaken and is a conflict; nothing is sent twice.
      expect(new Set(sent).size).toBe(sent.length);
      expect(results.filter(({ outcome }) => outcome === 'appended')).toHaveLength(sent.length);
      expect(queue.depth()).toBe(0);
    }),
    { numRuns: 150 },
  );

const settledIn = async (promise: Promise<unknown>): Promise<string> => {
  const late = new Promise<string>((resolve) => setTimeout(() => resolve('late'), 200));
  return Promise.race([
    promise.then(
      (value) => JSON.stringify(value),
      (error: Error) => error.name,
    ),
    late,
  ]);
};

describe('the append queue', () => {
  test('sends one batch at a time, no two commits on one stream in it unless both only read', () => checkBatches(createAppendQueue, 8));

  test('the property catches a batch with two commits on one stream', async () => {
    const planted = await plantInModule<{ createAppendQueue: CreateQueue }>('log/append-queue.ts', [
      { replace: 'writes.some(({ streamId }) => touched.has(streamId)) ||', by: '' },
    ]);
    expect(await findingOf(checkBatches(planted.createAppendQueue, 8))).toContain('two commits on one stream');
  });

  test('the property catches a read beside a write of the same stream', async () => {
    const planted = await plantInModule<{ createAppendQueue: CreateQueue }>('log/append-queue.ts', [
      { replace: 'reads.some(({ streamId }) => written.has(streamId));', by: 'false;' },
    ]);
    expect(await findingOf(checkBatches(planted.createAppendQueue, 8))).toContain('two commits on one stream');
  });

  test('asks again with the same commits when the reply is lost, and never answers conflict by itself', async () => {
    const sent: (readonly Commit[])[] = [];
    const queue = createAppendQueue({
      send: async (_, batch) => {
        sent.push(batch);
        if (sent.length < 4) throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
        return batch.map((): AppendResult => ({ outcome: 'appended', position: 7, recordedAt: 1 }));
      },
    });
    const commit = commitOf([write(newStream(), 0)]);
    expect(await queue.append(platform, commit)).toEqual({ outcome: 'appended', position: 7, recordedAt: 1 });
    expect(sent).toHaveLength(4);
    for (const batch of sent) expect(batch).toEqual([commit]);
  });

  test('gives up asking in the end, and says that it does not know', async () => {
    const queue = createAppendQueue({ askAgainFor: 50, send: () => Promise.reject(new Error('Connection terminated unexpectedly')) });
    expect(await settledIn(queue.append(platform, commitOf([write(newStream(), 0)])))).toBe('LogUnavailable');
  });

  test('refuses a waiting commit that an answer has overtaken, without asking the log', async () => {
    const stream = newStream();
    let sends = 0;
    const queue = createAppendQueue({
      send: async (_, batch) => {
        sends += 1;
        await new Promise((resolve) => setTimeout(resolve, 5));
        return batch.map((): AppendResult => ({ outcome: 'appended', position: 1, recordedAt: 0 }));
      },
    });
    const winner = queue.append(platform, commitOf([write(stream, 0, 2)]));
    const losers = [
      queue.append(platform, commitOf([write(stream, 1)])),
      queue.append(platform, commitOf([write(newStream(), 0)], { reads: [{ streamId: stream, expected: 0 }] })),
    ];
    const next = queue.append(platform, commitOf([write(stream, 2)]));
    expect((await winner).outcome).toBe('appended');
    expect(await Promise.all(losers)).toEqual([{ outcome: 'conflict' }, { outcome: 'conflict' }]);
    expect((await next).outcome).toBe('appended');
    expect(sends).toBe(2);
  });

  test('refuses at once when too many wait, and serves other platforms meanwhile', async () => {
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const queue = createAppendQueue({
      queueLimit: 3,
      send: async (to, batch) => {
        if (to === platform) await gate;
        return batch.map((): AppendResult => ({ outcome: 'appended', position: 1, recordedAt: 0 }));
      },
    });
    const held = [queue.append(platform, commitOf([write(newStream(), 0)]))];
    // A batch leaves after the turn in which it began.
    await new Promise((resolve) => setImmediate(resolve));
    for (let more = 0; more < 3; more += 1) held.push(queue.append(platform, commitOf([write(newStream(), 0)])));
    expect(await settledIn(queue.append(platform, commitOf([write(newStream(), 0)])))).toBe('LogUnavailable');
    expect(await settledIn(queue.append('q' as PlatformId, commitOf([write(newStream(), 0)])))).toContain('appended');
    open();
    expect((await Promise.all(held)).map(({ outcome }) => outcome)).toEqual(['appended', 'appended', 'appended', 'appended']);
  });
});
