import { afterEach, describe, expect, test } from 'vitest';
import { createLogger, createMetrics, createOpsServer, type OpsServer, type ReadinessCheck } from '../src/index.ts';

const servers: OpsServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

const start = async (checks: Readonly<Record<string, ReadinessCheck>>) => {
  const metrics = createMetrics({ service: 'api' });
  const log = createLogger({ service: 'api', level: 'silent' });
  const server = createOpsServer({ host: '127.0.0.1', port: 0, checks, metrics, log });
  servers.push(server);
  const origin = `http://127.0.0.1:${await server.listen()}`;
  const ask = async (path: string, init?: RequestInit) => {
    const response = await fetch(origin + path, init);
    return { status: response.status, body: await response.text() };
  };
  return { server, metrics, ask };
};

describe('the operations server', () => {
  test('is healthy as long as it answers, and ready while every check passes', async () => {
    const { ask } = await start({ database: async () => 1, queue: async () => undefined });
    expect(await ask('/healthz')).toEqual({ status: 200, body: '{"status":"ok"}' });
    expect(await ask('/readyz?x=1')).toEqual({ status: 200, body: '{"status":"ready"}' });
  });

  test('names each check that fails, without credentials', async () => {
    const { ask } = await start({
      database: () => Promise.reject(new Error('connect postgres://u:hush@db refused')),
      queue: () => {
        throw new Error('thrown at once');
      },
      fine: async () => true,
    });
    const { status, body } = await ask('/readyz');
    expect(status).toBe(503);
    expect(JSON.parse(body)).toEqual({
      status: 'unavailable',
      failing: { database: 'connect postgres://[redacted]@db refused', queue: 'thrown at once' },
    });
    expect((await ask('/healthz')).status).toBe(200);
  });

  test('does not wait for a check that hangs', async () => {
    const { ask } = await start({ database: () => new Promise(() => undefined) });
    expect(await ask('/readyz')).toEqual({
      status: 503,
      body: '{"status":"unavailable","failing":{"database":"no answer within 2000 ms"}}',
    });
  });

  test('is not ready while draining, though healthy', async () => {
    const { ask, server } = await start({});
    server.drain();
    expect(await ask('/readyz')).toEqual({ status: 503, body: '{"status":"draining"}' });
    expect((await ask('/healthz')).status).toBe(200);
  });

  test('serves metrics with the process measures and ours', async () => {
    const { ask, metrics } = await start({});
    metrics
      .counter({ name: 'requests_total', help: 'Requests', labels: ['endpoint', 'status'] })
      .add({ endpoint: 'token', status: 200 }, 2);
    metrics.gauge({ name: 'lag_events', help: 'Lag', labels: ['subscription'] }).set({ subscription: 'grants' }, 7);
    metrics.timer({ name: 'append_seconds', help: 'Append', labels: [] }).observe({}, 0.002);
    const { status, body } = await ask('/metrics');
    expect(status).toBe(200);
    expect(body).toContain('grantlog_requests_total{endpoint="token",status="200",service="api"} 2');
    expect(body).toContain('grantlog_lag_events{subscription="grants",service="api"} 7');
    expect(body).toContain('grantlog_append_seconds_bucket{le="0.0025",service="api"} 1');
    expect(body).toContain('process_cpu_seconds_total');
  });

  test('knows nothing else', async () => {
    const { ask } = await start({});
    expect((await ask('/')).status).toBe(404);
    expect((await ask('/healthz', { method: 'POST' })).status).toBe(405);
  });

  test('rejects where the port is taken', async () => {
    const { server } = await start({});
    await expect(server.listen()).rejects.toThrow();
  });
});
