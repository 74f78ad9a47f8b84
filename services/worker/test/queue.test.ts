import { standingId } from '@grantlog/crypto';
import { standingKinds } from '@grantlog/domain';
import type { StreamId } from '@grantlog/eventsourcing';
import type { EndpointLane, Lane } from '@grantlog/postgres';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import type { DeliveryQueue } from '../src/queue/delivery-queue.ts';
import { jobsLeft, wipe } from './support/wipe.ts';
import { backends, openQueue } from './support/worker.ts';
import { createWorld, platform, until, type World } from './support/world.ts';

const laneOf = (lane: Lane = 1): EndpointLane => ({ platform, endpoint: standingId(standingKinds.webhookEndpoint) as StreamId, lane });
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(backends)('the delivery queue on %s', (backend) => {
  let world: World;
  let queue: DeliveryQueue;
  beforeEach(async () => {
    world = await createWorld(inject('databaseUrl'));
    queue = await openQueue(backend, world, inject('redisUrl'));
  });
  afterEach(async () => {
    await queue.close();
    await world.close();
  });
  const left = (): Promise<number> => jobsLeft(backend, world, inject('redisUrl'));

  test('hands over what a wake-up names', async () => {
    const seen: EndpointLane[] = [];
    queue.work(async (lane) => void seen.push(lane));
    const wanted = [laneOf(0), laneOf(1), laneOf(2)];
    for (const lane of wanted) await queue.wake([lane]);
    await until(
      () => seen.length,
      (count) => count === 3,
    );
    expect([...seen].sort((a, b) => a.lane - b.lane)).toEqual(wanted);
    await queue.check();
  });

  test('folds wake-ups during the work into one more run, loses none and never overlaps', async () => {
    const lane = laneOf();
    const runs: { readonly from: number; to: number }[] = [];
    let running = 0;
    queue.work(async () => {
      running += 1;
      expect(running).toBe(1);
      const run = { from: performance.now(), to: 0 };
      runs.push(run);
      await pause(100);
      run.to = performance.now();
      running -= 1;
    });
    await queue.wake([lane]);
    await until(
      () => runs.length,
      (count) => count === 1,
    );
    await Promise.all(Array.from({ length: 300 }, () => queue.wake([lane])));
    const lastWake = performance.now();
    await until(
      () => runs.at(-1)?.to ?? 0,
      (to) => to >= lastWake,
    );
    await until(left, (count) => count === 0);
    // The last wake-up fell into a run that began before it or caused one after it.
    expect(runs.length).toBeGreaterThanOrEqual(2);
    expect(runs.length).toBeLessThanOrEqual(6);
  });

  test('folds wake-ups of many endpoints alike: none is lost, and the same ones never overlap', async () => {
    const many = Array.from({ length: 30 }, () => laneOf());
    const running = new Set<string>();
    const overlaps: string[] = [];
    let wakes = 0;
    /** Wake-ups that there had been when each endpoint was last handled. */
    const known = new Map<string, number>();
    queue.work(async ({ endpoint }) => {
      if (running.has(endpoint)) overlaps.push(endpoint);
      running.add(endpoint);
      known.set(endpoint, wakes);
      await pause(20);
      running.delete(endpoint);
    });
    await queue.wake(many);
    await until(
      () => running.size,
      (count) => count > 0,
    );
    while (wakes < 100) {
      wakes += 1;
      if (wakes % 10 === 0) await pause(10);
      await queue.wake(many);
    }
    await until(left, (count) => count === 0);
    await until(
      () => running.size,
      (count) => count === 0,
    );
    expect(overlaps).toEqual([]);
    expect([...known.values()]).toEqual(many.map(() => wakes));
  });

  test('wakes an endpoint that stands in a bundle and alone, or in two bundles, for each of them', async () => {
    const many = Array.from({ length: 20 }, () => laneOf());
    const [first, ...others] = many;
    if (first === undefined) throw new Error('there are endpoints');
    let finish = (): void => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const seen: string[] = [];
    queue.work(async ({ endpoint }) => {
      seen.push(endpoint);
      await finished;
    });
    await queue.wake(many);
    await until(
      () => seen.length,
      (count) => count === 20,
    );
    await queue.wake([first]);
    await queue.wake([...others.slice(0, 10), first]);
    await until(
      () => seen.filter((endpoint) => endpoint === first.endpoint).length,
      (count) => count === 3,
    );
    finish();
    await until(left, (count) => count === 0);
    expect(seen).toHaveLength(20 + 1 + 11);
  });

  test('goes on after a handler that failed, and leaves nothing behind', async () => {
    const lane = laneOf();
    let calls = 0;
    queue.work(async () => {
      calls += 1;
      if (calls === 1) throw new Error('as the test wants');
    });
    await queue.wake([lane]);
    await until(
      () => calls,
      (count) => count === 1,
    );
    await until(left, (count) => count === 0);
    await queue.wake([lane]);
    await until(
      () => calls,
      (count) => count === 2,
    );
    await until(left, (count) => count === 0);
  });

  test('keeps slots for revocations while retries fill their own', async () => {
    let finish = (): void => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let retries = 0;
    let revocations = 0;
    queue.work(async ({ lane }) => {
      if (lane === 0) revocations += 1;
      else {
        retries += 1;
        await finished;
      }
    });
    for (let n = 0; n < 20; n += 1) await queue.wake([laneOf(2)]);
    await until(
      () => retries,
      (count) => count === 8,
    );
    await queue.wake([laneOf(0)]);
    await until(
      () => revocations,
      (count) => count === 1,
      3_000,
    );
    finish();
    await until(
      () => retries,
      (count) => count === 20,
    );
  });

  test('takes wake-ups again after it was wiped', async () => {
    const seen: string[] = [];
    queue.work(async ({ endpoint }) => void seen.push(endpoint));
    const [before, after] = [laneOf(), laneOf()];
    await queue.wake([before]);
    await until(
      () => seen.length,
      (count) => count === 1,
    );
    await wipe(backend, world, inject('redisUrl'));
    await until(
      async () => {
        await queue.wake([after]);
        return seen;
      },
      (found) => found.includes(after.endpoint),
    );
  });
});
