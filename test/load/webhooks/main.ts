import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cpuOfTree, startEmbeddedPostgres, startRedis } from '@grantlog/cli';
import type { StreamId } from '@grantlog/eventsourcing';
import { createDatabase } from '@grantlog/postgres';
import { type LoadReceiver, runBareLoop, startReceiver, startService } from './processes.ts';
import { createLoadWorld, type LoadWorld } from './world.ts';

type Backend = 'redis' | 'postgres';

const { values } = parseArgs({
  options: { scale: { type: 'string', default: '1' }, backend: { type: 'string' }, only: { type: 'string' }, json: { type: 'string' } },
});
const scale = Number(values.scale);
const backends = (['redis', 'postgres'] as const).filter((backend) => values.backend === undefined || backend === values.backend);
const isAsked = (scenario: string): boolean => values.only === undefined || values.only === scenario;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const percentile = (numbers: readonly number[], at: number): number => {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))] ?? Number.NaN;
};
const results: Record<string, unknown> = {};

const folder = await mkdtemp(join(tmpdir(), 'grantlog-load-'));
// Durable as in production: fsync and synchronous commits stay on.
const postgres = await startEmbeddedPostgres({ dataRoot: join(folder, 'postgres'), lifetime: 'throw-away', onProgress: () => {} });
const redis = await startRedis({ dir: join(folder, 'redis') });
const receiver: LoadReceiver = await startReceiver();
const secret = crypto.randomUUID() + crypto.randomUUID();
let worlds = 0;

const openWorld = (): Promise<LoadWorld> => {
  worlds += 1;
  return createLoadWorld({ clusterUrl: postgres.url, name: `load_${worlds}`, secret });
};
const workerFor = async (world: LoadWorld, backend: Backend) => {
  const queue: Readonly<Record<string, string>> = backend === 'redis' ? { REDIS_URL: redis.url } : {};
  return startService('worker', { DATABASE_URL: world.url, GRANTLOG_SECRET: secret, ...queue });
};
const arrived = async (count: number, forMs = 120_000): Promise<Awaited<ReturnType<LoadReceiver['report']>>> => {
  for (const until = Date.now() + forMs; ; await pause(50)) {
    const report = await receiver.report();
    if (report.received >= count) return report;
    if (Date.now() > until) throw new Error(`${report.received} of ${count} arrived`);
  }
};
const quiet = async (world: LoadWorld): Promise<void> => {
  for (let n = 0; n < 400; n += 1) {
    if (await world.isIdle()) return;
    await pause(50);
  }
};

type Rate = { readonly perSecond: number; readonly nodeCpu: number };

/** Runs work and says how many requests a second arrived meanwhile, and what each cost the worker. */
const measure = async (
  world: LoadWorld,
  pid: number,
  count: number,
  work: () => Promise<void>,
): Promise<Rate & { postgresCpu: number }> => {
  receiver.tell({ kind: 'reset', timed: false });
  const before = { node: (await cpuOfTree(pid)) ?? 0, postgres: (await cpuOfTree(postgres.pid)) ?? 0 };
  const began = performance.timeOrigin + performance.now();
  await work();
  const { last } = await arrived(count);
  await quiet(world);
  const after = { node: (await cpuOfTree(pid)) ?? 0, postgres: (await cpuOfTree(postgres.pid)) ?? 0 };
  return {
    perSecond: (count / (last - began)) * 1_000,
    nodeCpu: (after.node - before.node) / count,
    postgresCpu: (after.postgres - before.postgres) / count,
  };
};

/** Refreshes grants at a pace, and returns the milliseconds from each record to each arrival at an endpoint that is not slow. */
const atPace = async (
  world: LoadWorld,
  of: { readonly grants: readonly StreamId[]; readonly events: number; readonly everyMs: number; readonly each: number },
): Promise<readonly number[]> => {
  receiver.tell({ kind: 'reset', timed: true });
  const began = performance.now();
  const open: Promise<void>[] = [];
  for (let n = 0; n < of.events; n += 1) {
    const due = began + n * of.everyMs;
    if (due > performance.now()) await pause(due - performance.now());
    const grant = of.grants[n % of.grants.length];
    if (grant !== undefined) open.push(world.refresh(grant));
  }
  await Promise.all(open);
  for (;;) {
    const { latencies } = await receiver.report();
    if (latencies.length >= of.events * of.each) return latencies;
    await pause(50);
  }
};

const body = JSON.stringify({
  type: 'grant.refreshed',
  timestamp: new Date().toISOString(),
  data: { platform: 'bench', grantId: crypto.randomUUID(), clientId: 'client-000000', sequence: 1, tokenSequence: 1, position: 100_000 },
});
const bare = async (backend: Backend, jobs: number): Promise<Rate> => {
  if (backend === 'redis') return runBareLoop({ backend, connection: redis.url, url: receiver.url, jobs, body });
  worlds += 1;
  const connection = await createDatabase({ connectionString: postgres.url, name: `bare_${worlds}` });
  return runBareLoop({ backend, connection, url: receiver.url, jobs, body });
};

const rates = (name: string, own: Rate & { postgresCpu: number }, loop: Rate): void => {
  say(
    `${name}: ${own.perSecond.toFixed(0)}/s, ${own.nodeCpu.toFixed(0)} µs of Node and ${own.postgresCpu.toFixed(0)} µs of Postgres each; ` +
      `bare ${loop.perSecond.toFixed(0)}/s, ${loop.nodeCpu.toFixed(0)} µs of Node: ${(own.perSecond / loop.perSecond).toFixed(2)} ×`,
  );
  results[name] = { own, bare: loop, ratio: own.perSecond / loop.perSecond };
};

try {
  for (const backend of backends) {
    if (isAsked('few')) {
      const world = await openWorld();
      for (let n = 0; n < 10; n += 1) await world.endpoint({ url: `${receiver.url}/${n}` });
      const grants = await Promise.all(Array.from({ length: 50 }, () => world.grant()));
      const worker = await workerFor(world, backend);
      await quiet(world);
      const events = Math.ceil(3_000 * scale);
      const own = await measure(world, worker.pid, events * 10, async () => {
        const lanes = grants.map(async (grant, index) => {
          for (let n = index; n < events; n += grants.length) await world.refresh(grant);
        });
        await Promise.all(lanes);
      });
      await worker.stop();
      rates(`few endpoints, many events, ${backend}`, own, await bare(backend, Math.ceil((backend === 'redis' ? 20_000 : 8_000) * scale)));
      await world.close();
    }
    if (isAsked('many')) {
      const world = await openWorld();
      const endpoints = 1_000;
      for (let n = 0; n < endpoints; n += 100)
        await Promise.all(Array.from({ length: 100 }, (_, index) => world.endpoint({ url: `${receiver.url}/${n + index}` })));
      const grant = await world.grant();
      const worker = await workerFor(world, backend);
      await quiet(world);
      // As many deliveries as the bare loop makes.
      const rounds = Math.ceil((backend === 'redis' ? 20 : 8) * scale);
      let seconds = 0;
      let [nodeCpu, postgresCpu] = [0, 0];
      for (let n = 0; n < rounds; n += 1) {
        const round = await measure(world, worker.pid, endpoints, () => world.refresh(grant));
        seconds += endpoints / round.perSecond;
        nodeCpu += round.nodeCpu / rounds;
        postgresCpu += round.postgresCpu / rounds;
      }
      await worker.stop();
      const own = { perSecond: (endpoints * rounds) / seconds, nodeCpu, postgresCpu };
      rates(
        `1,000 endpoints, one event each, ${backend}`,
        own,
        await bare(backend, Math.ceil((backend === 'redis' ? 20_000 : 8_000) * scale)),
      );
      await world.close();
    }
    if (isAsked('latency')) {
      const world = await openWorld();
      await world.endpoint({ url: `${receiver.url}/` });
      const grants = await Promise.all(Array.from({ length: 50 }, () => world.grant()));
      const worker = await workerFor(world, backend);
      await quiet(world);
      await pause(1_000);
      const latencies = await atPace(world, { grants, events: Math.ceil(4_000 * scale), everyMs: 5, each: 1 });
      const [p50, p99] = [percentile(latencies, 0.5), percentile(latencies, 0.99)];
      say(
        `commit to first attempt at 200 events/s, ${backend}: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms (${latencies.length} events)`,
      );
      results[`latency, ${backend}`] = { p50, p99 };
      await worker.stop();
      await world.close();
    }
    if (isAsked('slow')) {
      const world = await openWorld();
      for (let n = 0; n < 99; n += 1) await world.endpoint({ url: `${receiver.url}/${n}` });
      const grants = await Promise.all(Array.from({ length: 50 }, () => world.grant()));
      const worker = await workerFor(world, backend);
      await quiet(world);
      const pace = { grants, events: Math.ceil(300 * scale), everyMs: 100, each: 99 };
      // A process that has just begun is slower than it will be.
      await atPace(world, { ...pace, events: Math.ceil(pace.events / 3) });
      const without = percentile(await atPace(world, pace), 0.99);
      // It answers when its time is almost over, and gets everything that the others get.
      receiver.tell({ kind: 'slow', path: '/slow', delayMs: 9_000 });
      await world.endpoint({ url: `${receiver.url}/slow` });
      const beside = percentile(await atPace(world, pace), 0.99);
      say(
        `one slow endpoint among 100, ${backend}: p99 of the others ${without.toFixed(1)} ms without it, ${beside.toFixed(1)} ms with it ` +
          `(${((beside / without - 1) * 100).toFixed(0)} %)`,
      );
      results[`slow endpoint, ${backend}`] = { without, with: beside };
      await worker.stop();
      await world.close();
    }
  }
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(results, null, 2)}\n`);
} finally {
  receiver.stop();
  await redis.stop();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}
