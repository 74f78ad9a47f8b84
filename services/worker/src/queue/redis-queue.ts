import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { createBullmqQueue } from './bullmq-queue.ts';
import type { DeliveryQueue, DeliveryQueueOptions } from './delivery-queue.ts';

export type RedisQueueOptions = DeliveryQueueOptions & {
  readonly url: string;
  /** First part of every key. Default `grantlog`. */
  readonly prefix?: string;
};

/** The queue on Redis or Valkey; rejects when the server cannot be reached at the start. */
export const createRedisQueue = async (options: RedisQueueOptions): Promise<DeliveryQueue> => {
  const { url, prefix = 'grantlog' } = options;
  // Wakes fail at once while the server is away, instead of piling up in memory: the sweeper repeats them.
  const producer = new Redis(url, { maxRetriesPerRequest: 1, enableOfflineQueue: false, lazyConnect: true });
  const consumer = new Redis(url, { maxRetriesPerRequest: null, lazyConnect: true });
  for (const connection of [producer, consumer]) connection.on('error', options.onError);
  try {
    await Promise.all([producer.connect(), consumer.connect()]);
  } catch (error) {
    producer.disconnect();
    consumer.disconnect();
    throw error;
  }
  return createBullmqQueue(
    {
      queue: (name, queueOptions) => new Queue(name, { ...queueOptions, connection: producer, prefix }),
      worker: (name, processor, workerOptions) => new Worker(name, processor, { ...workerOptions, connection: consumer, prefix }),
      check: async () => {
        await producer.ping();
      },
      // Not `quit`, which would wait for a server that is away.
      close: async () => {
        producer.disconnect();
        consumer.disconnect();
      },
    },
    options,
  );
};
