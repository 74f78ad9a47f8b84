import { randomUuid } from '@grantlog/crypto';
import { createEgress, type EgressOptions } from '@grantlog/egress';
import { runSubscriptions, type Subscription } from '@grantlog/postgres';
import { inject } from 'vitest';
import { every } from '../../src/every.ts';
import type { DeliveryQueue } from '../../src/queue/delivery-queue.ts';
import { createPostgresQueue } from '../../src/queue/postgres-queue.ts';
import { createRedisQueue } from '../../src/queue/redis-queue.ts';
import { createDispatcher } from '../../src/subscriptions/dispatcher.ts';
import { type DeliveryRules, deliveryRules } from '../../src/webhooks/rules.ts';
import { sweep } from '../../src/webhooks/sweeper.ts';
import { createTurns } from '../../src/webhooks/turns.ts';
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
    readonly egress?: Partial<EgressOptions>;
    /** Milliseconds that a request gets, where others of the same client get more. */
    readonly patienceMs?: number;
  } = {},
) => {
  const egress = createEgress({ allowLoopback: true, totalTimeoutMs: 2_000, connectionsPerOrigin: 100, ...options.egress });
  const { patienceMs } = options;
  const fates: string[] = [];
  const counts = { crowded: 0, lost: 0 };
  const errors: unknown[] = [];
  const turns = createTurns({
    pool: world.pool,
    worker: randomUuid(),
    log: world.log,
    sealer: world.sealer,
    publicUrl: 'http://localhost:4000',
    queue,
    egress: patienceMs === undefined ? egress : { request: (asked) => egress.request({ ...asked, timeoutMs: patienceMs }) },
    rules: { ...deliveryRules, ...options.rules },
    now: Date.now,
    random: () => 0.5,
    onAttempt: ignore,
    onCrowded: () => {
      counts.crowded += 1;
    },
    onLost: (attempts) => {
      counts.lost += attempts;
    },
    onEndpoint: ({ fate }) => fates.push(fate),
    onError: (error) => errors.push(error),
  });
  queue.work(turns.wake);
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
          () => sweep({ pool: world.pool, queue }),
          (error) => errors.push(error),
        );
  return {
    wake: turns.wake,
    egress,
    counts,
    fates,
    errors,
    stop: async (): Promise<void> => {
      await Promise.all([turns.stop(), runner.stop(), sweeper?.stop()]);
      await queue.close();
      await egress.close();
    },
  };
};

/** Every delivery, finished or not, to select from. */
export const anyDelivery = `(
  select platform, endpoint, id, lane, proves, state, attempt from delivery
  union all select platform, endpoint, id, lane, proves, state, attempt from delivery_done)`;

/** Deliveries by state, without those that prove a URL. */
export const states = async (world: World): Promise<Readonly<Record<string, number>>> => {
  const { rows } = await world.pool.query<{ state: string; n: number }>(
    `select state, count(*)::int as n from ${anyDelivery} d where not proves group by state`,
  );
  return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
};
