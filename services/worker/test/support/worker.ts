import { createEgress } from '@grantlog/egress';
import { runSubscriptions, type Subscription } from '@grantlog/postgres';
import { inject } from 'vitest';
import { every } from '../../src/every.ts';
import type { DeliveryQueue } from '../../src/queue/delivery-queue.ts';
import { createPostgresQueue } from '../../src/queue/postgres-queue.ts';
import { createRedisQueue } from '../../src/queue/redis-queue.ts';
import { createDispatcher } from '../../src/subscriptions/dispatcher.ts';
import { type DeliveryContext, type DeliveryRules, deliverLane, deliveryRules } from '../../src/webhooks/deliver.ts';
import { sweep } from '../../src/webhooks/sweeper.ts';
import type { World } from './world.ts';

export type BackendName = 'redis' | 'postgres';
/** Both, unless the machine has no Redis; the run says so loudly, and CI does not accept it. */
export const backends: readonly BackendName[] = inject('redisUrl') === '' ? ['postgres'] : ['redis', 'postgres'];

const ignore = (): void => {};

/** Everything that went wrong out of sight, for the test that looks. */
export const troubles: unknown[] = [];
const trouble = (error: unknown): void => void troubles.push(error);

/** Redis keys of one world's queues begin with this. */
export const queuePrefix = (world: World): string => `test-${new URL(world.url).pathname.slice(1)}`;

/** A queue of this backend, apart from every other test's. */
export const openQueue = (name: BackendName, world: World, redisUrl: string): Promise<DeliveryQueue> => {
  const options = { concurrency: 8, onError: trouble };
  return name === 'redis'
    ? createRedisQueue({ ...options, url: redisUrl, prefix: queuePrefix(world) })
    : createPostgresQueue({ ...options, connectionString: world.url });
};

/** The delivering part of a worker, with its rules shortened where a test says so. */
export const startDelivering = (
  world: World,
  queue: DeliveryQueue,
  options: {
    readonly rules?: Partial<DeliveryRules>;
    readonly subscriptions?: readonly Subscription[];
    readonly sweepEvery?: number | null;
  } = {},
) => {
  const egress = createEgress({ allowLoopback: true, totalTimeoutMs: 2_000, connectionsPerOrigin: 100 });
  let stopping = false;
  const fates: string[] = [];
  const context: DeliveryContext = {
    pool: world.pool,
    log: world.log,
    sealer: world.sealer,
    queue,
    egress,
    rules: { ...deliveryRules, ...options.rules },
    now: Date.now,
    random: () => 0.5,
    stopping: () => stopping,
    onAttempt: ignore,
    onEndpoint: ({ fate }) => fates.push(fate),
    onWakeFailed: ignore,
  };
  queue.work((lane) => deliverLane(context, lane));
  const errors: unknown[] = [];
  const runner = runSubscriptions({
    pool: world.pool,
    listenUrl: null,
    pollEvery: 20,
    subscriptions: options.subscriptions ?? [createDispatcher({ queue, onWakeFailed: ignore })],
    onFailure: ({ error }) => errors.push(error),
  });
  const { sweepEvery = 200 } = options;
  const sweeper =
    sweepEvery === null
      ? null
      : every(
          sweepEvery,
          () => sweep({ pool: world.pool, queue, onWakeFailed: ignore }),
          (error) => errors.push(error),
        );
  return {
    context,
    fates,
    errors,
    stop: async (): Promise<void> => {
      stopping = true;
      await Promise.all([runner.stop(), sweeper?.stop()]);
      await queue.close();
      await egress.close();
    },
  };
};

/** Deliveries by state. */
export const states = async (world: World): Promise<Readonly<Record<string, number>>> => {
  const { rows } = await world.pool.query<{ state: string; n: number }>('select state, count(*)::int as n from delivery group by state');
  return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
};
