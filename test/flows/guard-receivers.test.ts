import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createSecurityEventReceiver,
  createWebhookReceiver,
  type SecurityEvent,
  type SecurityEventReceiver,
  type WebhookReceiver,
} from '@grantlog/guard';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { createSignalWorld, type SignalWorld } from '../support/signal-world.ts';

/** What the guard's receivers make of what is really sent: webhooks by the key set of their endpoint, and pushed security events. */
const platform = 'receivers';
const authorization = 'Bearer of-the-stream';

let world: SignalWorld;
let events: SecurityEventReceiver;
/** Known once the endpoint has an id, which what verifies it may overtake. */
const hooks = Promise.withResolvers<WebhookReceiver>();
/** How far the receivers' clock is ahead: so that nobody has to wait until keys may be read again. */
let aheadMs = 0;
const now = (): number => Date.now() + aheadMs;

const webhooks: { readonly type: string; readonly keyId: string | undefined }[] = [];
const told: SecurityEvent[] = [];
const others: string[] = [];

const server = createServer(async (request, response) => {
  const received = { headers: request.headersDistinct, body: request };
  const [keyId] = request.headersDistinct['webhook-key-id'] ?? [];
  const outcome =
    request.url === '/events'
      ? await events.receive(received, (event) => void told.push(event))
      : await (await hooks.promise).receive(received, ({ type }) => void webhooks.push({ type, keyId }));
  if (outcome.kind !== 'handled') others.push(outcome.kind === 'refused' ? outcome.reason : outcome.kind);
  for (const [name, value] of outcome.headers) response.appendHeader(name, value);
  response.writeHead(outcome.status).end(outcome.body === null ? undefined : JSON.stringify(outcome.body));
});
const at = (path: string): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  world = await createSignalWorld({ databaseUrl: inject('databaseUrl'), platform, workers: 1 });
  events = createSecurityEventReceiver({ issuer: world.issuer, audience: world.client.client_id, authorization, now });
});
afterAll(async () => {
  await world.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test('a rotation of an endpoint’s secret needs nothing of a receiver that verifies by its key set', async () => {
  const { ask, client, issuer, itself } = world;
  const token = await itself(client, 'read');
  const registered = await ask(token, 'POST', '/webhooks/endpoints', { url: at('/hooks'), signature: 'v1a' });
  const path = `/webhooks/endpoints/${String(registered.body['endpointId'])}`;
  hooks.resolve(createWebhookReceiver({ jwksUri: `${issuer}${path}/jwks.json`, now }));
  await eventually('a verified endpoint', async () => ((await ask(token, 'GET', path)).body['verified'] === true ? true : null), 30);
  const nextTest = async (count: number): Promise<string | undefined> => {
    expect((await ask(token, 'POST', `${path}/test`)).status).toBe(202);
    const tests = () => webhooks.filter(({ type }) => type === 'webhook_endpoint.test');
    return (await eventually('a test', async () => (tests().length === count ? tests() : null), 30)).at(-1)?.keyId;
  };
  const first = await nextTest(1);
  expect((await ask(token, 'POST', `${path}/secret`, {})).status).toBe(200);
  aheadMs += 10_000;
  const second = await nextTest(2);
  expect([first, second]).toEqual([expect.any(String), expect.not.stringMatching(String(first))]);
  expect(others).toEqual([]);
});

test('a stream of security events is taken as it is pushed, each event once', async () => {
  const { agent, api, ask, client, connect, create, itself } = world;
  const token = await itself(client, 'ssf.manage');
  const delivery = { method: 'urn:ietf:rfc:8935', endpoint_url: at('/events'), authorization_header: authorization };
  const { stream_id: id } = await create(token, { delivery });
  const arrived = (name: string, what: (event: SecurityEvent) => boolean = () => true): Promise<SecurityEvent> =>
    eventually(name, async () => told.find((each) => each.type.endsWith(name) && what(each)) ?? null, 30);
  expect(await arrived('/verification')).toMatchObject({ subject: { format: 'opaque', id }, payload: {} });
  expect((await ask(token, 'POST', '/ssf/verification', { stream_id: id, state: 'of mine' })).status).toBe(204);
  await arrived('/verification', ({ payload }) => payload['state'] === 'of mine');

  const { grant, refresh } = await connect();
  await agent.revoke(api(), refresh);
  expect(await arrived('/session-revoked')).toMatchObject({
    id: expect.any(String),
    subject: { format: 'complex', session: { format: 'opaque', id: grant } },
    payload: { initiating_entity: 'policy' },
  });
  expect(new Set(told.map((each) => each.id)).size).toBe(told.length);
  expect(others).toEqual([]);
});
