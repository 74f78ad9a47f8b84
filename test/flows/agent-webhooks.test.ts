import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createWebhookReceiver } from '@grantlog/guard';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Agent, basic, createAgent, post } from '../support/agent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { eventually } from '../support/eventually.ts';
import { openWorkbench, type TestClient } from '../support/workbench.ts';

/** Agents that are told at endpoints of their own, on two processes: a client by itself, and one grant of a person. */
const platform = 'told';

type Received = { readonly path: string; readonly headers: IncomingHttpHeaders; readonly text: string };
type Json = Readonly<Record<string, unknown>>;

let deployment: Deployment;
let client: TestClient;
let agent: Agent;
let origin: string;
const received: Received[] = [];
const receiver = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    received.push({ path: request.url ?? '', headers: request.headers, text: Buffer.concat(chunks).toString('utf8') });
    response.writeHead(204).end();
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 2, workers: 1 });
  const bench = openWorkbench(deployment);
  await bench.configure(platform, { resources: [] });
  client = await bench.client(platform);
  const account = await bench.account(platform);
  await bench.close();
  agent = createAgent({
    name: platform,
    scope: 'openid offline_access read',
    demo: { issuer: `${deployment.publicUrl}/${platform}`, client, account } as never,
  });
});
afterAll(async () => {
  await deployment.stop();
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
});

let turn = 0;
/** Every request goes to the other process: each knows at once what the one before has decided. */
const ask = async (
  token: string,
  method: string,
  path: string,
  body?: object,
): Promise<{ readonly status: number; readonly body: Json }> => {
  turn += 1;
  const api = deployment.apis[turn % 2] ?? { url: '' };
  const response = await fetch(agent.at(api, `/webhooks/endpoints${path}`), {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Json };
};
const register = async (token: string, body: object): Promise<Json & { readonly endpointId: string }> => {
  const registered = await ask(token, 'POST', '', body);
  expect(registered).toMatchObject({ status: 201, body: { endpointId: expect.any(String) } });
  return registered.body as Json & { readonly endpointId: string };
};
const typesAt = (path: string): readonly string[] =>
  received.filter((each) => each.path === path).map(({ text }) => (JSON.parse(text) as { readonly type: string }).type);
const toldAt = (path: string, type: string): Promise<Received> =>
  eventually(
    `${type} at ${path}`,
    async () => received.find((each) => each.path === path && each.text.includes(`"type":"${type}"`)) ?? null,
    30,
  );
const verified = (token: string, id: string): Promise<true> =>
  eventually('a verified endpoint', async () => ((await ask(token, 'GET', `/${id}`)).body['verified'] === true ? true : null), 30);

const connect = async (): Promise<{ readonly access: string; readonly refresh: string; readonly grant: string }> => {
  const [api] = deployment.apis;
  if (api === undefined) throw new Error('there is no API');
  const { body } = await agent.redeem(api, await agent.code(api));
  const access = String(body['access_token']);
  const grant = String((await agent.introspect(api, access)).body['grant_id']);
  return { access, refresh: String(body['refresh_token']), grant };
};
const itself = async (): Promise<string> => {
  const [api] = deployment.apis;
  if (api === undefined) throw new Error('there is no API');
  const form = { grant_type: 'client_credentials', scope: 'read' };
  return String((await post(agent.at(api, '/oauth/token'), form, { authorization: basic(client) })).body['access_token']);
};

test('a client is told of its grants with its token and headers, and one grant of itself alone', async () => {
  const [api] = deployment.apis;
  if (api === undefined) throw new Error('there is no API');
  const token = await itself();
  const wide = await register(token, {
    url: `${origin}/wide`,
    webhookToken: 'a-token-of-the-client',
    headers: { 'X-Api-Key': 'a-key-of-the-client' },
  });
  const [mine, other] = [await connect(), await connect()];
  const narrow = await register(mine.access, { url: `${origin}/narrow`, signature: 'v1a', types: ['grant.*'] });
  await verified(token, wide.endpointId);
  await verified(mine.access, narrow.endpointId);

  // Neither sees what the other has.
  for (const [shown, id] of [
    [mine.access, wide.endpointId],
    [other.access, narrow.endpointId],
    [token, narrow.endpointId],
  ] as const)
    expect((await ask(shown, 'DELETE', `/${id}`)).status).toBe(404);

  expect((await ask(mine.access, 'POST', `/${narrow.endpointId}/test`)).status).toBe(202);
  await toldAt('/narrow', 'webhook_endpoint.test');
  for (const { refresh } of [other, mine]) await agent.refresh(api, refresh);
  const refreshed = await toldAt('/narrow', 'grant.refreshed');
  await eventually(
    'both at the client’s',
    async () => (typesAt('/wide').filter((type) => type === 'grant.refreshed').length === 2 ? true : null),
    30,
  );

  // The guard verifies both, by what the registrations showed.
  const ofClient = createWebhookReceiver({ secrets: String(wide['secret']), webhookToken: 'a-token-of-the-client' });
  for (const { headers, text } of received.filter(({ path }) => path === '/wide')) {
    expect(await ofClient.verify({ headers, body: text })).toMatchObject({ kind: 'verified' });
    expect(headers['x-api-key']).toBe('a-key-of-the-client');
  }
  const ofGrant = createWebhookReceiver({ secrets: String(narrow['publicKey']) });
  for (const { headers, text } of received.filter(({ path }) => path === '/narrow')) {
    expect(await ofGrant.verify({ headers, body: text })).toMatchObject({ kind: 'verified' });
    expect(text).not.toContain(other.grant);
  }

  // Who keeps no key finds it by the name in the request, at an address of its own.
  const set = (await (await fetch(agent.at(api, `/webhooks/endpoints/${narrow.endpointId}/jwks.json`))).json()) as {
    readonly keys: readonly Readonly<Record<string, string>>[];
  };
  const key = set.keys.find(({ kid }) => kid === refreshed.headers['webhook-key-id']);
  const whpk = `whpk_${Buffer.from(key?.['x'] ?? '', 'base64url').toString('base64')}`;
  expect(whpk).toBe(narrow['publicKey']);
});

test('the end of a grant is told at its endpoint, and its token manages nothing any more', async () => {
  const [api] = deployment.apis;
  if (api === undefined) throw new Error('there is no API');
  const { access, refresh, grant } = await connect();
  const { endpointId } = await register(access, { url: `${origin}/end` });
  await verified(access, endpointId);
  await agent.revoke(api, refresh);
  const { text } = await toldAt('/end', 'grant.revoked');
  expect(JSON.parse(text)).toMatchObject({ data: { grantId: grant } });
  expect((await ask(access, 'GET', `/${endpointId}`)).status).toBe(401);
});
