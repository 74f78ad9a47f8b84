import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PlatformId } from '@grantlog/eventsourcing';
import { createPool, type Pool, readEventsAfter } from '@grantlog/postgres';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { basic, createAgent, post, type Tokens } from '../support/agent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { eventually } from '../support/eventually.ts';
import { openWorkbench, type TestClient } from '../support/workbench.ts';

/** One trace, from the proxy in front of the API to whoever is told of what came of it. */
const platform = 'traced';
const traceId = '0af7651916cd43dd8448eb211c80319c';
const ofProxy = 'b7ad6b7169203331';

type Delivery = { readonly id: string; readonly endpointId: string; readonly traceId: string };
type Detail = Delivery & { readonly status: string; readonly history: readonly { readonly outcome: string }[] };

let deployment: Deployment;
let pool: Pool;
let client: TestClient;
let operator: string;
let tokens: Tokens;
const received: IncomingHttpHeaders[] = [];
const receiver = createServer((request, response) => {
  let text = '';
  request.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  request.on('end', () => {
    const isAwaited = text.includes('"type":"grant.refreshed"');
    if (isAwaited) received.push(request.headers);
    response.writeHead(isAwaited && received.length === 1 ? 500 : 204).end();
  });
});

const at = (path: string): string => `${deployment.apis[0]?.url}${path}`;
const manage = async (method: string, path: string, body?: object): Promise<unknown> => {
  const response = await fetch(at(`/${platform}/manage${path}`), {
    method,
    headers: { authorization: `Bearer ${operator}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(response.ok).toBe(true);
  return response.json();
};

beforeAll(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  // The test is the proxy in front of the API.
  const settings = { TRUST_PROXY: '127.0.0.1', WEBHOOK_RETRY_SECONDS: '1' };
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 1, settings });
  pool = createPool({ connectionString: deployment.databaseUrl, role: 'grantlog_api', max: 2 });
  const bench = openWorkbench(deployment);
  await bench.configure(platform);
  const account = await bench.account(platform);
  client = await bench.client(platform);
  await bench.close();
  const authorization = basic(deployment.demo.operator.client as TestClient);
  const form = { grant_type: 'client_credentials', scope: 'manage' };
  operator = String((await post(at('/system/oauth/token'), form, { authorization })).body['access_token']);
  await manage('POST', '/webhook-endpoints', { url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook` });
  const demo = { issuer: `${deployment.publicUrl}/${platform}`, client, account };
  const agent = createAgent({ name: platform, demo: demo as never, scope: 'openid read offline_access' });
  const api = { url: at('') };
  tokens = (await agent.redeem(api, await agent.code(api))).body as unknown as Tokens;
});
afterAll(async () => {
  await pool.end();
  await deployment.stop();
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
});

const attempts = (count: number): Promise<readonly IncomingHttpHeaders[]> =>
  eventually(`attempt ${count}`, async () => (received.length >= count ? received : null), 30);
const delivered = (): Promise<Detail> =>
  eventually('the delivery', async () => {
    const { deliveries } = (await manage('GET', '/deliveries?type=grant.refreshed&status=delivered')) as {
      readonly deliveries: readonly Delivery[];
    };
    const [one] = deliveries;
    return one === undefined ? null : ((await manage('GET', `/webhook-endpoints/${one.endpointId}/deliveries/${one.id}`)) as Detail);
  });

test('joins a request, its event, every attempt to tell of it, and what operators read of them', async () => {
  const refreshed = await post(
    at(`/${platform}/oauth/token`),
    { grant_type: 'refresh_token', refresh_token: tokens.refresh_token },
    { authorization: basic(client), traceparent: `00-${traceId}-${ofProxy}-01`, tracestate: 'vendor=of-the-proxy' },
  );
  expect(refreshed.status).toBe(200);

  const events = await readEventsAfter(pool, { platform: platform as PlatformId, after: 0, limit: 1_000 });
  const event = events.find(({ type }) => type === 'grant.refreshed');
  const [, span = ''] = new RegExp(`^00-${traceId}-([0-9a-f]{16})-01$`).exec(event?.correlationId ?? '') ?? [];
  expect(span).not.toBe('');

  await attempts(2);
  const shown = await delivered();
  expect(shown).toMatchObject({ traceId, status: 'delivered', history: [{ outcome: 'rejected' }, { outcome: 'delivered' }] });
  await manage('POST', `/webhook-endpoints/${shown.endpointId}/deliveries/${shown.id}/resend`);
  const sent = await attempts(3);
  const spans = sent.map(({ traceparent }) => new RegExp(`^00-${traceId}-([0-9a-f]{16})-01$`).exec(String(traceparent))?.[1]);
  expect(new Set([...spans, span, ofProxy]).size).toBe(5);
  expect(new Set(sent.map((headers) => headers['webhook-id']))).toEqual(new Set([shown.id]));

  const logs = await deployment.allLogs();
  const lines = logs.split('\n').filter((line) => line.includes(`"traceId":"${traceId}"`));
  expect(lines.some((line) => line.includes('"msg":"answered"') && line.includes('/oauth/token'))).toBe(true);
  expect(`${logs} ${JSON.stringify([events, sent])}`).not.toContain('of-the-proxy');
});
