import { sha256 } from '@grantlog/crypto';
import { type EndpointLane, type Lane, lanes } from '@grantlog/postgres';
import type { JobsOptions, WorkerOptions } from 'bullmq';
import type { DeliveryQueue, DeliveryQueueOptions } from './delivery-queue.ts';

/** A job names endpoints of one platform, its queue the lane, and nothing else: it is no record of anything. */
type Wake = { readonly platform: EndpointLane['platform']; readonly endpoints: readonly EndpointLane['endpoint'][] };

/** The parts of BullMQ's queues and workers that are the same type on every backend. */
type WakeQueue = {
  readonly addBulk: (jobs: { readonly name: 'wake'; readonly data: Wake; readonly opts: JobsOptions }[]) => Promise<unknown>;
  readonly getJobCountByTypes: (...types: ('waiting' | 'active' | 'prioritized')[]) => Promise<number>;
  readonly on: (event: 'error', listener: (error: Error) => void) => unknown;
  readonly close: () => Promise<void>;
};
type WakeWorker = {
  readonly on: (event: 'error', listener: (error: Error) => void) => unknown;
  readonly close: () => Promise<void>;
};

type Processor = (job: { readonly data: Wake }) => Promise<void>;
type BackendWorkerOptions = Required<
  Pick<WorkerOptions, 'concurrency' | 'lockDuration' | 'stalledInterval' | 'maxStalledCount' | 'removeOnComplete' | 'removeOnFail'>
>;

export type Backend = {
  readonly queue: (name: string, options: { readonly defaultJobOptions: JobsOptions }) => WakeQueue;
  readonly worker: (name: string, processor: Processor, options: BackendWorkerOptions) => WakeWorker;
  readonly check: () => Promise<void>;
  readonly close: () => Promise<void>;
};

// A queue a lane: retries may fill their own slots and no others.
const queueName = (lane: Lane): string => `deliveries-${lane}`;

/** Endpoints that are woken together when more than `alone` are: one job each would cost more than what they are woken for. */
const alone = 8;
const together = 25;

const wakesOf = (woken: readonly EndpointLane[]): readonly Wake[] =>
  [...Map.groupBy(woken, ({ platform }) => platform)].flatMap(([platform, lanesOf]) => {
    const endpoints = lanesOf.map(({ endpoint }) => endpoint);
    const size = endpoints.length > alone ? together : 1;
    return Array.from({ length: Math.ceil(endpoints.length / size) }, (_, index) => ({
      platform,
      endpoints: endpoints.slice(index * size, (index + 1) * size),
    }));
  });

const idOf = ({ platform, endpoints }: Wake): string =>
  `${platform}/${endpoints.length === 1 ? endpoints[0] : Buffer.from(sha256(endpoints.join(' '))).toString('base64url')}`;

// One job in any state for the same endpoints, and one more for what arrives while it runs. `jobId` would not do: BullMQ
// ignores an id that exists in any state.
const jobOf = (data: Wake) => ({
  name: 'wake' as const,
  data,
  opts: { deduplication: { id: idOf(data), keepLastIfActive: true } },
});

const defaultJobOptions: JobsOptions = { removeOnComplete: true, removeOnFail: true, attempts: 1 };

/** Jobs added by one call. */
const bulk = 500;

/** Milliseconds for which a queue that cannot be reached is waited for at the end. */
const patience = 2_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The queue on BullMQ, whatever it stands on. */
export const createBullmqQueue = (backend: Backend, options: DeliveryQueueOptions): DeliveryQueue => {
  const queues = lanes.map((lane) => {
    const queue = backend.queue(queueName(lane), { defaultJobOptions });
    queue.on('error', options.onError);
    return queue;
  });
  const workers: WakeWorker[] = [];
  // BullMQ waits for a server that is away; whatever a job was doing then, the next sweep finds it in Postgres.
  const orderly = async (closing: Promise<unknown>): Promise<void> => {
    closing.catch(() => {});
    const reachable = await backend.check().then(
      () => true,
      () => false,
    );
    await (reachable ? closing : Promise.race([closing.catch(() => {}), pause(patience)]));
  };
  let resting: Promise<void> | null = null;
  const rest = (): Promise<void> => {
    resting ??= orderly(Promise.all(workers.map((worker) => worker.close())));
    return resting;
  };
  return {
    wake: async (woken) => {
      await Promise.all(
        lanes.map(async (lane) => {
          const jobs = wakesOf(woken.filter((each) => each.lane === lane)).map(jobOf);
          // Not atomic on Redis (a pipeline), and need not be: the sweeper wakes again.
          for (let from = 0; from < jobs.length; from += bulk) await queues[lane]?.addBulk(jobs.slice(from, from + bulk));
        }),
      );
    },
    work: (handler) => {
      for (const lane of lanes) {
        const process: Processor = async ({ data: { platform, endpoints } }) => {
          await Promise.all(endpoints.map((endpoint) => handler({ platform, endpoint, lane }).catch(options.onError)));
        };
        const worker = backend.worker(queueName(lane), process, {
          concurrency: options.concurrency,
          // With BullMQ's defaults an endpoint would be silent for a minute after its worker was killed.
          lockDuration: 5_000,
          stalledInterval: 2_500,
          // A job that stalls a second time would be dropped; dropping is harmless here, waiting is not.
          maxStalledCount: 10,
          removeOnComplete: { count: 0 },
          removeOnFail: { count: 0 },
        });
        worker.on('error', options.onError);
        workers.push(worker);
      }
    },
    depth: () =>
      Promise.all(lanes.map(async (lane) => ({ lane, wakes: (await queues[lane]?.getJobCountByTypes('waiting', 'active')) ?? 0 }))),
    check: backend.check,
    rest,
    close: async () => {
      await rest();
      await orderly(Promise.all(queues.map((queue) => queue.close())));
      await backend.close();
    },
  };
};
