import { standingId } from '@grantlog/crypto';
import { standingKinds } from '@grantlog/domain';
import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import { type EndpointLane, type Lane, lanes } from '@grantlog/postgres';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Backend, createBullmqQueue } from '../src/queue/bullmq-queue.ts';
import type { DeliveryQueue } from '../src/queue/delivery-queue.ts';

type Job = Parameters<ReturnType<Backend['queue']>['addBulk']>[0][number];
type Processor = Parameters<Backend['worker']>[1];

let calls: { readonly queue: string; readonly jobs: readonly Job[] }[];
let processors: Map<string, Processor>;
let errors: unknown[];
let queue: DeliveryQueue;
beforeEach(() => {
  [calls, processors, errors] = [[], new Map(), []];
  const ignore = { on: () => {}, close: async () => {} };
  const backend: Backend = {
    queue: (name) => ({ ...ignore, addBulk: async (jobs) => calls.push({ queue: name, jobs }), getJobCountByTypes: async () => 0 }),
    worker: (name, processor) => {
      processors.set(name, processor);
      return ignore;
    },
    check: async () => {},
    close: async () => {},
  };
  queue = createBullmqQueue(backend, { concurrency: 4, onError: (error) => errors.push(error) });
});

const lanesOf = (count: number, of: { readonly lane?: Lane; readonly platform?: string } = {}): readonly EndpointLane[] => {
  const { lane = 1, platform = 'arlo' } = of;
  const endpoint = () => standingId(standingKinds.webhookEndpoint) as StreamId;
  return Array.from({ length: count }, () => ({ platform: platform as PlatformId, endpoint: endpoint(), lane }));
};
const jobs = (): readonly Job[] => calls.flatMap((call) => call.jobs);
const sizes = (): readonly number[] => jobs().map(({ data }) => data.endpoints.length);
const ids = (): readonly (string | undefined)[] => jobs().map(({ opts }) => opts.deduplication?.id);
/** What a worker is told by all the jobs together. */
const woken = (): readonly EndpointLane[] =>
  calls.flatMap(({ queue: name, jobs: added }) =>
    added.flatMap(({ data: { platform, endpoints } }) =>
      endpoints.map((endpoint) => ({ platform, endpoint, lane: Number(name.at(-1)) as Lane })),
    ),
  );

describe('endpoints that are woken', () => {
  test('have a job each while they are few', async () => {
    await queue.wake(lanesOf(8));
    expect(sizes()).toEqual(Array(8).fill(1));
    expect(new Set(ids()).size).toBe(8);
  });

  test.each([
    [9, [9]],
    [25, [25]],
    [26, [25, 1]],
    [60, [25, 25, 10]],
  ])('share jobs of up to 25 where they are %s', async (count, expected) => {
    const all = lanesOf(count);
    await queue.wake(all);
    expect(sizes()).toEqual(expected);
    expect(woken()).toEqual(all);
  });

  test('are woken once each in their own lane and platform, however many there are', async () => {
    const all = lanes.flatMap((lane) => ['arlo', 'along'].flatMap((platform, index) => lanesOf(30 * (index + 1), { lane, platform })));
    await queue.wake(all);
    const named = ({ platform, endpoint, lane }: EndpointLane): string => `${platform} ${endpoint} ${lane}`;
    expect(woken().map(named).toSorted()).toEqual(all.map(named).toSorted());
    for (const { data } of jobs()) expect(data.endpoints.length).toBeLessThanOrEqual(25);
  });

  test('are added five hundred jobs at a time', async () => {
    await queue.wake(lanesOf(25 * 1_100));
    expect(calls.map((call) => call.jobs.length)).toEqual([500, 500, 100]);
  });

  test('fold into the job that waits for the same ones, and into no other', async () => {
    const [first, ...others] = lanesOf(26);
    if (first === undefined) throw new Error('there are endpoints');
    await queue.wake([first, ...others]);
    await queue.wake([first, ...others]);
    await queue.wake([...others, first]);
    await queue.wake([first]);
    const [bundle, last, sameBundle, sameLast, otherBundle, sameFirst, alone] = ids();
    expect([sameBundle, sameLast]).toEqual([bundle, last]);
    expect(otherBundle).not.toBe(bundle);
    // A bundle of one is the same as one that is woken alone.
    expect(alone).toBe(sameFirst);
    await queue.wake(lanesOf(0));
    expect(jobs()).toHaveLength(7);
  });
});

describe('a job of many endpoints', () => {
  test('has each of them handled, and is done when all are, whatever becomes of one', async () => {
    const endings = new Map<StreamId, { readonly finish: () => void; readonly fail: (error: Error) => void }>();
    queue.work(({ endpoint }) => new Promise((finish, fail) => endings.set(endpoint, { finish, fail })));
    const [one, other, ...rest] = lanesOf(9).map(({ endpoint }) => endpoint);
    if (one === undefined || other === undefined) throw new Error('there are endpoints');
    let isDone = false;
    const handled = processors.get('deliveries-0')?.({ data: { platform: 'arlo' as PlatformId, endpoints: [one, other, ...rest] } });
    const done = handled?.then(() => {
      isDone = true;
    });
    expect(endings.size).toBe(9);
    endings.get(one)?.fail(new Error('as the test wants'));
    for (const endpoint of rest) endings.get(endpoint)?.finish();
    await new Promise((resolve) => setImmediate(resolve));
    expect(isDone).toBe(false);
    endings.get(other)?.finish();
    await done;
    expect(errors).toEqual([new Error('as the test wants')]);
  });
});
