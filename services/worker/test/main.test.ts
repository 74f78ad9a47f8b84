import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { useScene } from './support/scene.ts';
import { backends, states } from './support/worker.ts';
import { secret, until, type World } from './support/world.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
type Running = {
  readonly child: ChildProcess;
  readonly opsPort: number;
  readonly exit: Promise<number | null>;
  readonly output: () => string;
};

describe('the worker process', () => {
  const scene = useScene();
  const running: ChildProcess[] = [];
  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
  });

  const start = (world: World, env: NodeJS.ProcessEnv = {}): Promise<Running> =>
    new Promise((resolve, reject) => {
      const child = fork(main, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: [], env: { ...settings(world), ...env } });
      running.push(child);
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', (chunk: Buffer) => {
          output += chunk.toString();
        });
      const exit = new Promise<number | null>((ended) => child.on('exit', (code) => ended(code)));
      void exit.then((code) => reject(new Error(`exit ${code}: ${output}`)));
      child.on('message', (message: { readonly opsPort: number }) =>
        resolve({ child, opsPort: message.opsPort, exit, output: () => output }),
      );
    });
  const settings = (world: World): NodeJS.ProcessEnv => ({
    DATABASE_URL: world.url,
    PUBLIC_URL: 'http://localhost:4000',
    OPS_PORT: '0',
    GRANTLOG_SECRET: secret,
  });

  test('says that it is ready, is measured, logs no secret, and ends by itself when its launcher is gone', async () => {
    const world = scene.world();
    const worker = await start(world);
    const get = async (path: string) => fetch(`http://127.0.0.1:${worker.opsPort}${path}`);
    expect((await get('/healthz')).status).toBe(200);
    expect(await (await get('/readyz')).json()).toEqual({ status: 'ready' });
    await until(
      async () => (await get('/metrics')).text(),
      (text) => /grantlog_subscription_lag_events\{[^}]*dispatcher/.test(text),
    );
    expect(worker.output()).not.toContain(secret);
    worker.child.disconnect();
    expect(await worker.exit).toBe(0);
  });

  test('measures what waits, how attempts end, and how long an event takes to arrive', async () => {
    const world = scene.world();
    const receiver = await scene.receiver();
    const client = await world.client('agent-1');
    await world.endpoint({ url: receiver.url, client });
    const grant = await world.grant({ client });
    await world.revoke(grant);
    // Nobody has proved this one's URL: what it would hear is held.
    await world.endpoint({ url: 'http://127.0.0.1:9/', isVerified: false });
    await world.grant({ client });
    const worker = await start(world);
    const text = await until(
      async () => (await fetch(`http://127.0.0.1:${worker.opsPort}/metrics`)).text(),
      (found) =>
        /delivery_success_seconds_count\{[^}]*lane="0"[^}]*\} 1\n/.test(found) &&
        /deliveries_waiting\{[^}]*state="held"[^}]*\} 2\n/.test(found),
      30_000,
    );
    expect(text).toMatch(/delivery_first_attempt_seconds_count\{[^}]*lane="1"[^}]*\} [5-9]\n/);
    expect(text).toMatch(/delivery_attempts_total\{[^}]*outcome="delivered"[^}]*\}/);
    expect(text).toMatch(/delivery_queue_depth\{[^}]*lane="0"[^}]*\} 0\n/);
    expect(text).toMatch(/deliveries_waiting\{[^}]*state="overdue"[^}]*\} 0\n/);
  });

  test('names every bad setting at once and exits', async () => {
    const refused = start(scene.world(), { DATABASE_URL: '', GRANTLOG_SECRET: 'short' });
    await expect(refused).rejects.toThrow(/exit 1[\s\S]*DATABASE_URL[\s\S]*GRANTLOG_SECRET/);
  });

  test.each(backends)(
    'killed in the middle of the work, leaves it to another: all arrive, doubled only where cut (%s)',
    { timeout: 90_000 },
    async (backend) => {
      const world = scene.world();
      const receiver = await scene.receiver(() => ({ status: 200, delayMs: 20 }));
      const client = await world.client('agent-1');
      for (let n = 0; n < 5; n += 1) await world.endpoint({ url: `${receiver.url}/${n}`, concurrency: 2 });
      const env = backend === 'redis' ? { REDIS_URL: inject('redisUrl') } : {};
      const first = await start(world, env);
      for (let n = 0; n < 50; n += 1) await world.grant({ client });
      await until(
        () => receiver.received.length,
        (count) => count > 60,
      );
      first.child.kill('SIGKILL');
      const second = await start(world, env);
      await until(
        () => states(world),
        (found) => found['delivered'] === 500,
        60_000,
      );
      expect(new Set(receiver.received.map(({ id, path }) => `${path} ${id}`)).size).toBe(500);
      const { rowCount } = await world.pool.query(`select 1 from attempt where outcome = 'lost'`);
      expect(receiver.received.length).toBeLessThanOrEqual(500 + (rowCount ?? 0));
      expect(rowCount).toBeGreaterThan(0);
      const measured = await (await fetch(`http://127.0.0.1:${second.opsPort}/metrics`)).text();
      expect(measured).toMatch(new RegExp(`delivery_attempts_lost_total\\{[^}]*\\} ${rowCount}\\n`));
    },
  );
});
