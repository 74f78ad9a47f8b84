import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres, startRedis } from '@grantlog/cli';
import { type LoadService, nextMessage, startService } from '../../load/webhooks/processes.ts';
import { createLoadWorld } from '../../load/webhooks/world.ts';
import type { FlakyCommand, FlakyReport } from './flaky-receiver.ts';

const endpoints = 20;
const failing = 30;
/** Five attempts: some deliveries run out of them, and have to be accounted for as well. */
const retrySeconds = '1,1,2,2';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const flushAll = (url: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname, () => socket.write('FLUSHALL\r\n'));
    socket.once('data', (reply) => {
      socket.end();
      if (reply.toString().startsWith('+OK')) resolve();
      else reject(new Error(reply.toString()));
    });
    socket.once('error', reject);
  });

/**
 * Delivers so many webhooks to receivers of which each fails 30 times in 100, while workers are killed, Redis is flushed
 * twice and Postgres crashes and comes back, and gives an account of every one.
 *
 * @returns what is wrong with the account; nothing where all is well.
 */
export const faultWebhooks = async (options: {
  readonly deliveries: number;
  readonly backend: 'redis' | 'postgres';
  readonly seed: number;
  readonly say: (line: string) => void;
}): Promise<readonly string[]> => {
  const { backend, seed, say } = options;
  const events = Math.ceil(options.deliveries / endpoints);
  const expected = events * endpoints;
  const folder = await mkdtemp(join(tmpdir(), 'grantlog-faults-'));
  const dataRoot = join(folder, 'postgres');
  const startPostgres = (port?: number) =>
    startEmbeddedPostgres({ dataRoot, lifetime: 'kept', onProgress: () => {}, ...(port === undefined ? {} : { port }) });
  let postgres = await startPostgres();
  const redis = backend === 'redis' ? await startRedis({ dir: join(folder, 'redis') }) : null;
  const secret = crypto.randomUUID() + crypto.randomUUID();
  const receiver = fork(join(import.meta.dirname, 'flaky-receiver.ts'), [String(failing), String(seed)]);
  const { port } = await nextMessage<{ readonly port: number }>(receiver);
  const report = async (): Promise<FlakyReport> => {
    const answer = nextMessage<FlakyReport>(receiver);
    receiver.send({ kind: 'report' } satisfies FlakyCommand);
    return answer;
  };
  const world = await createLoadWorld({ clusterUrl: postgres.url, name: 'faults', secret });
  const workers: LoadService[] = [];
  const startOne = async (): Promise<void> => {
    const queue: Readonly<Record<string, string>> = redis === null ? {} : { REDIS_URL: redis.url };
    workers.push(
      await startService('worker', {
        DATABASE_URL: world.url,
        GRANTLOG_SECRET: secret,
        LOG_LEVEL: 'fatal',
        WEBHOOK_RETRY_SECONDS: retrySeconds,
        ...queue,
      }),
    );
  };
  const done: string[] = [];
  const problems: string[] = [];
  try {
    const secrets: Record<string, string> = {};
    for (let n = 0; n < endpoints; n += 1) {
      const made = await world.endpoint({ url: `http://127.0.0.1:${port}/${n}` });
      secrets[String(n)] = made.secret;
    }
    receiver.send({ kind: 'secrets', secrets } satisfies FlakyCommand);
    const grants = await Promise.all(Array.from({ length: 50 }, () => world.grant()));
    await startOne();
    await startOne();

    const appended = Promise.all(
      grants.map(async (grant, index) => {
        for (let n = index; n < events; n += grants.length) await world.refresh(grant);
      }),
    );
    appended.catch(() => {});
    const progress = async (): Promise<number> => (await report()).taken;
    const reach = async (share: number): Promise<void> => {
      for (const until = Date.now() + 120_000; (await progress()) < expected * share && Date.now() < until; ) await pause(50);
    };
    const kill = async (share: number): Promise<void> => {
      await reach(share);
      workers.shift()?.kill('SIGKILL');
      done.push(`worker killed at ${Math.round(share * 100)} %`);
      await startOne();
    };
    const flush = async (share: number): Promise<void> => {
      await reach(share);
      if (redis === null) return;
      await flushAll(redis.url);
      done.push(`Redis flushed at ${Math.round(share * 100)} %`);
    };
    await kill(0.1);
    await flush(0.2);
    await kill(0.3);
    await appended;
    await reach(0.4);
    process.kill(postgres.pid, 'SIGQUIT');
    await postgres.ended.catch(() => {});
    await postgres.stop();
    done.push('Postgres ended at once at 40 %');
    await pause(1_000);
    postgres = await startPostgres(Number(new URL(postgres.url).port));
    await flush(0.55);
    await kill(0.7);

    const begun = Date.now();
    let states: Readonly<Record<string, number>> = {};
    for (let still = 0, last = ''; Date.now() - begun < 600_000; await pause(500)) {
      states = await world.states().catch(() => ({}));
      const now = JSON.stringify(states);
      const open = (states['pending'] ?? 0) + (states['held'] ?? 0);
      const all = Object.values(states).reduce((sum, count) => sum + count, 0);
      if (open === 0 && all === expected) break;
      // Nothing moves for longer than the longest pause of a circuit: it is stuck.
      still = now === last ? still + 1 : 0;
      last = now;
      if (still > 700) break;
    }
    const { delivered = 0, failed = 0, ...others } = states;
    const seen = await report();
    const attempts = await world.attempts();
    const lost = attempts['lost'] ?? 0;
    say(`faults: ${done.join(', ')}`);
    say(
      `deliveries: ${expected} expected, ${delivered} delivered, ${failed} given up after five attempts, others ${JSON.stringify(others)}`,
    );
    say(`receiver: ${seen.requests} requests, ${seen.taken} answered 2xx, ${seen.distinct} different ones`);
    say(
      `attempts: ${Object.entries(attempts)
        .map(([outcome, count]) => `${count} ${outcome}`)
        .join(', ')}`,
    );
    say(`bodies: ${seen.otherBodies} messages with another body; signatures: ${seen.badSignatures} that do not verify`);
    if (delivered + failed !== expected) problems.push(`${expected - delivered - failed} deliveries are not accounted for`);
    if (Object.keys(others).length > 0) problems.push(`deliveries are stuck or ended otherwise: ${JSON.stringify(others)}`);
    if (seen.distinct < delivered) problems.push(`${delivered - seen.distinct} are recorded as delivered and never arrived`);
    if (seen.otherBodies > 0) problems.push(`${seen.otherBodies} messages came with another body`);
    if (seen.badSignatures > 0) problems.push(`${seen.badSignatures} signatures do not verify`);
    if (failed > 0 && seen.distinct > expected) problems.push('more arrived than there is');
    say(`sent twice after an answer of 2xx: ${seen.taken - seen.distinct}; attempts that are known to be cut: ${lost}`);
  } finally {
    for (const worker of workers) worker.kill('SIGKILL');
    receiver.kill();
    await world.close().catch(() => {});
    await redis?.stop();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
  return problems;
};
