import { mkdtemp } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningRedis, startRedis } from '@grantlog/cli';
import { createPool, type Pool } from '@grantlog/postgres';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { type Agent, basic, createAgent, post, type Tokens } from '../support/agent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';

const wanted = 500;

let deployment: Deployment;
let redis: RunningRedis | null = null;
let receiver: Receiver;
let pool: Pool;

afterEach(async () => {
  await pool.end();
  await deployment.stop();
  await receiver.close();
  await redis?.stop();
  redis = null;
});

const flushAll = (url: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname, () => socket.write('FLUSHALL\r\n'));
    socket.once('data', (reply) => (reply.toString().startsWith('+OK') ? resolve() : reject(new Error(reply.toString()))));
    socket.once('data', () => socket.end());
    socket.once('error', reject);
  });

const registerEndpoint = async (): Promise<void> => {
  const [api] = deployment.apis;
  const { client } = deployment.demo.operator;
  const token = await post(
    `${api?.url}/system/oauth/token`,
    { grant_type: 'client_credentials', scope: 'manage' },
    { authorization: basic(client) },
  );
  const response = await fetch(`${api?.url}/arlo-health/manage/webhook-endpoints`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token.body['access_token']}`, 'content-type': 'application/json' },
    body: JSON.stringify({ url: receiver.url, types: ['grant.refreshed'], description: 'counts' }),
  });
  const body = (await response.json()) as { readonly secret?: string };
  expect(response.status).toBe(201);
  receiver.useSecret(body.secret ?? '');
};

const agentOf = (): Agent => createAgent({ name: 'arlo-health', demo: deployment.demo.platforms['arlo-health'] as never });

/** `wanted` refreshes over ten grants: as many webhooks. */
const refreshAll = async (agent: Agent): Promise<void> => {
  const api = deployment.apis[0] as { readonly url: string };
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      let tokens = (await agent.redeem(api, await agent.code(api))).body as unknown as Tokens;
      for (let count = 0; count < wanted / 10; count += 1)
        tokens = (await agent.refresh(api, tokens.refresh_token)).body as unknown as Tokens;
    }),
  );
};

const begin = async (backend: 'redis' | 'postgres'): Promise<void> => {
  if (backend === 'redis') redis = await startRedis({ dir: await mkdtemp(join(tmpdir(), 'grantlog-redis-')) });
  receiver = await startReceiver({ delayMs: 20 });
  deployment = await startDeployment({
    databaseUrl: inject('databaseUrl'),
    ...(redis === null ? {} : { redisUrl: redis.url }),
    apis: 1,
    workers: 0,
  });
  pool = createPool({ connectionString: deployment.databaseUrl, role: 'grantlog_worker', max: 2 });
  await registerEndpoint();
};

const arrived = async (): Promise<void> => {
  const deadline = Date.now() + 60_000;
  while (receiver.distinct() < wanted && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 100));
};

/** Requests beyond one a delivery, and how many attempts the workers know to have been cut. */
const account = async () => {
  const { rows } = await pool.query<{ state: string; n: number }>(`select state, count(*)::int as n from (
         select state, proves from grantlog.delivery union all select state, proves from grantlog.delivery_done) d
       where not proves group by state`);
  const lost = await pool.query<{ n: number }>(`select count(*)::int as n from grantlog.attempt where outcome = 'lost'`);
  return {
    states: Object.fromEntries(rows.map((row) => [row.state, row.n])),
    cut: lost.rows[0]?.n ?? 0,
    doubled: receiver.requests() - receiver.distinct(),
  };
};

const backends = (['redis', 'postgres'] as const).filter((name) => name === 'postgres' || inject('redisUrl') !== '');

describe.each(backends)('%s as the queue', (backend) => {
  test(`brings every one of ${wanted} webhooks once workers start, none twice`, async () => {
    await begin(backend);
    await refreshAll(agentOf());
    expect(receiver.requests()).toBe(0);
    await Promise.all([deployment.startWorker(), deployment.startWorker()]);
    await arrived();
    expect(receiver.distinct()).toBe(wanted);
    await expect.poll(async () => (await account()).states, { timeout: 20_000 }).toEqual({ delivered: wanted });
    expect(await account()).toMatchObject({ cut: 0, doubled: 0 });
    expect(receiver.refused()).toEqual([]);
  });

  test(`loses none of ${wanted} when a worker is killed and the queue is wiped in the middle`, async () => {
    await begin(backend);
    await refreshAll(agentOf());
    const victim = await deployment.startWorker();
    await expect.poll(() => receiver.requests(), { timeout: 30_000, interval: 5 }).toBeGreaterThan(60);
    victim.kill('SIGKILL');
    if (redis !== null) await flushAll(redis.url);
    const before = receiver.distinct();
    expect(before).toBeLessThan(wanted);
    await deployment.startWorker();
    if (redis !== null) await flushAll(redis.url);
    await arrived();
    expect(receiver.distinct()).toBe(wanted);
    await expect.poll(async () => (await account()).states, { timeout: 60_000 }).toEqual({ delivered: wanted });
    const { cut, doubled } = await account();
    // Sent twice is only what a cut attempt may have sent.
    expect(doubled).toBeLessThanOrEqual(cut);
    expect(receiver.refused()).toEqual([]);
  });
});
