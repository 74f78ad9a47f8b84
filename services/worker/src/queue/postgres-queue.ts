import { createPool } from '@grantlog/postgres';
import { createPostgresBackend, type PgPool, Queue, runMigrations, Worker } from 'bullmq';
import { createBullmqQueue } from './bullmq-queue.ts';
import type { DeliveryQueue, DeliveryQueueOptions } from './delivery-queue.ts';

export type PostgresQueueOptions = DeliveryQueueOptions & {
  readonly connectionString: string;
  /** Connections that all queues and workers of the process share; three of them listen. Default 8. */
  readonly max?: number;
};

const schema = 'bullmq';

/** BullMQ's tables are made by the role that owns every schema; it takes an advisory lock itself. */
const migrateQueue = async ({ connectionString, onError }: PostgresQueueOptions): Promise<void> => {
  const pool = createPool({ connectionString, role: 'grantlog_migrate', max: 1, searchPath: schema, onError });
  const client = await pool.connect();
  try {
    await runMigrations(client, schema);
  } finally {
    client.release();
    await pool.end();
  }
};

/** The queue on Postgres, for installations without Redis. One shared pool: a pool each would hold sixty connections. */
export const createPostgresQueue = async (options: PostgresQueueOptions): Promise<DeliveryQueue> => {
  await migrateQueue(options);
  const pool = createPool({
    connectionString: options.connectionString,
    role: 'grantlog_worker',
    max: options.max ?? 8,
    searchPath: schema,
    onError: options.onError,
  });
  // BullMQ describes the part of pg's pool that it uses with narrower overloads than pg's own types have.
  const connection = pool as unknown as PgPool;
  return createBullmqQueue(
    {
      queue: (name, queueOptions) => new Queue(name, { ...queueOptions, connection }, createPostgresBackend),
      worker: (name, processor, workerOptions) => new Worker(name, processor, { ...workerOptions, connection }, createPostgresBackend),
      check: async () => {
        await pool.query('select 1');
      },
      close: () => pool.end(),
    },
    options,
  );
};
