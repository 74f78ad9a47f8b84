import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RawLoad, StreamRequest } from '../src/log/load-batch.ts';
import { createLoadQueue } from '../src/log/load-queue.ts';
import { newStream } from './support/commits.ts';
import { findingOf, plantInModule } from './support/planted.ts';

type CreateQueue = typeof createLoadQueue;

const platform = 'p' as PlatformId;
const streams: readonly StreamId[] = Array.from({ length: 6 }, newStream);
const request = (index: number, more: Partial<StreamRequest> = {}): StreamRequest => ({
  platform,
  streamId: streams[index] ?? newStream(),
  follow: false,
  withSecrets: false,
  ...more,
});
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A database that answers after some turns with the instant at which it took its snapshot: when the statement was sent. */
const createClock = () => {
  let instant = 0;
  const sent: { readonly at: number; readonly requests: readonly StreamRequest[] }[] = [];
  return {
    sent,
    tick: () => {
      instant += 1;
      return instant;
    },
    send: async (requests: readonly StreamRequest[]): Promise<RawLoad> => {
      instant += 1;
      const at = instant;
      sent.push({ at, requests });
      for (let waited = 0; waited < 3; waited += 1) await turn();
      return { now: at, streams: new Map() };
    },
  };
};

const checkFreshness = (createQueue: CreateQueue): Promise<void> =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ stream: fc.nat({ max: 5 }), turns: fc.nat({ max: 3 }) }), { minLength: 2, maxLength: 40 }),
      async (loads) => {
        const clock = createClock();
        const queue = createQueue({ send: clock.send });
        const stale: string[] = [];
        const running: Promise<void>[] = [];
        for (const { stream, turns } of loads) {
          const began = clock.tick();
          running.push(
            queue.load([request(stream)]).then((loaded) => {
              if (loaded.now <= began) stale.push(`a load begun at ${began} was answered with the state of ${loaded.now}`);
            }),
          );
          for (let waited = 0; waited < turns; waited += 1) await turn();
        }
        await Promise.all(running);
        if (stale[0] !== undefined) throw new Error(stale[0]);
      },
    ),
    { numRuns: 150 },
  );

describe('the load queue', () => {
  test('never answers a load with a state older than its beginning', () => checkFreshness(createLoadQueue));

  test('the property catches a load that joins a statement already sent', async () => {
    const planted = await plantInModule<{ createLoadQueue: CreateQueue }>('log/load-queue.ts', [
      // The batch stays open for joiners until it is answered.
      { replace: 'waiting = waiting.slice(taken);', by: '' },
      { replace: 'for (const load of loads) load.resolve(loaded);', by: 'for (const load of waiting.splice(0)) load.resolve(loaded);' },
    ]);
    expect(await findingOf(checkFreshness(planted.createLoadQueue))).toContain('was answered with the state of');
  });

  test('sends what arrives together as one statement, each stream once, with everything that anybody wants of it', async () => {
    const clock = createClock();
    const queue = createLoadQueue({ send: clock.send });
    await Promise.all([
      queue.load([request(0), request(1, { follow: true })]),
      queue.load([request(0, { withSecrets: true })]),
      queue.load([request(1), request(0, { follow: true })]),
    ]);
    expect(clock.sent.map(({ requests }) => requests)).toEqual([
      [request(0, { follow: true, withSecrets: true }), request(1, { follow: true })],
    ]);
  });

  test('keeps a statement to its limit of streams, and sends a load that is larger by itself', async () => {
    const clock = createClock();
    const queue = createLoadQueue({ send: clock.send, batchLimit: 4, parallel: 1 });
    const many = (count: number): readonly StreamRequest[] =>
      Array.from({ length: count }, () => ({ ...request(0), streamId: newStream() }));
    await Promise.all([queue.load(many(3)), queue.load(many(2)), queue.load(many(9)), queue.load(many(1))]);
    expect(clock.sent.map(({ requests }) => requests.length)).toEqual([3, 2, 9, 1]);
  });

  test('has at most two statements in flight', async () => {
    let inFlight = 0;
    let most = 0;
    const queue = createLoadQueue({
      send: async () => {
        inFlight += 1;
        most = Math.max(most, inFlight);
        await turn();
        await turn();
        inFlight -= 1;
        return { now: 1, streams: new Map() };
      },
    });
    const loads: Promise<RawLoad>[] = [];
    for (let index = 0; index < 60; index += 1) {
      loads.push(queue.load([request(index % 6)]));
      if (index % 3 === 0) await turn();
    }
    await Promise.all(loads);
    expect(most).toBe(2);
  });

  test('asks again when a reply is lost', async () => {
    let sends = 0;
    const queue = createLoadQueue({
      send: async () => {
        sends += 1;
        if (sends < 3) throw Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' });
        return { now: sends, streams: new Map() };
      },
    });
    expect((await queue.load([request(0)])).now).toBe(3);
  });

  test('refuses at once when too many wait', async () => {
    const queue = createLoadQueue({ send: createClock().send, queueLimit: 2 });
    const held = [queue.load([request(0)]), queue.load([request(1)])];
    await expect(queue.load([request(2)])).rejects.toMatchObject({ name: 'LogUnavailable' });
    await Promise.all(held);
  });
});
