import { createPostgresBackend, Queue, runMigrations, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { Agent, request } from 'undici';

/**
 * What delivery is measured beside: a queue and an HTTP client with nothing between them. A job is one request, nothing is
 * signed, recorded or tried again. A process of its own.
 */
const [backend, connection = '', url = '', wanted = '', body = ''] = process.argv.slice(2);
const jobs = Number(wanted);
const agent = new Agent({ connections: 100, pipelining: 1, keepAliveTimeout: 4_000 });

const post = async (data: { readonly url: string; readonly body: string }): Promise<void> => {
  const headers = { 'content-type': 'application/json' };
  const answer = await request(data.url, { method: 'POST', headers, body: data.body, dispatcher: agent });
  await answer.body.dump();
};

const open = async () => {
  const name = 'bare';
  const options = { concurrency: 64, removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } };
  if (backend === 'redis') {
    const redis = new Redis(connection, { maxRetriesPerRequest: null });
    return {
      queue: new Queue(name, { connection: redis, prefix: 'bare' }),
      work: (handle: typeof post) =>
        new Worker(name, (job) => handle(job.data), { ...options, connection: redis.duplicate(), prefix: 'bare' }),
    };
  }
  const pool = new pg.Pool({ connectionString: connection, max: 8, options: '-c search_path=bullmq' });
  const client = await pool.connect();
  await client.query('create schema if not exists bullmq');
  await runMigrations(client, 'bullmq');
  client.release();
  return {
    queue: new Queue(name, { connection: pool as never }, createPostgresBackend),
    work: (handle: typeof post) =>
      new Worker(name, (job) => handle(job.data), { ...options, connection: pool as never }, createPostgresBackend),
  };
};

const { queue, work } = await open();
let done = 0;
const finished = Promise.withResolvers<void>();
await queue.waitUntilReady();
const began = performance.now();
const before = process.cpuUsage();
const worker = work(async (data) => {
  await post(data);
  done += 1;
  if (done === jobs) finished.resolve();
});
worker.on('error', (error) => process.stderr.write(`${error.message}\n`));
for (let added = 0; added < jobs; added += 500) {
  const count = Math.min(500, jobs - added);
  if (process.env['BARE_BULK'] === '1') await queue.addBulk(Array.from({ length: count }, () => ({ name: 'send', data: { url, body } })));
  else await Promise.all(Array.from({ length: count }, () => queue.add('send', { url, body })));
}
await finished.promise;
const seconds = (performance.now() - began) / 1_000;
const cpu = process.cpuUsage(before);
process.send?.({ perSecond: jobs / seconds, nodeCpu: (cpu.user + cpu.system) / jobs });
process.exit(0);
