import { createServer, type IncomingHttpHeaders } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import type { AddressInfo } from 'node:net';
import { createWebhookReceiver, type SeenWebhooks } from '@grantlog/guard';
import { createPool, type Pool } from '@grantlog/postgres';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { examples } from '../../packages/guard/test/readme-example.ts';
import { describeSeen } from '../../packages/guard/test/webhooks/seen-contract.ts';
import { createSignUps, type SignUps } from '../support/agent-session.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { deviceDocument } from '../support/device.ts';
import { eventually } from '../support/eventually.ts';
import { openWorkbench, type TestAccount } from '../support/workbench.ts';

/** An agent that keeps nothing: it knows the issuer and its own URL, and finds the key that signed by itself. */
const platform = 'keyless';

type Request = { readonly headers: IncomingHttpHeaders; readonly text: string };

let deployment: Deployment;
let agents: SignUps;
let person: TestAccount;
let pool: Pool;
let seen: SeenWebhooks;
const received: Request[] = [];
const receiver = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    received.push({ headers: request.headers, text: Buffer.concat(chunks).toString('utf8') });
    response.writeHead(204).end();
  });
});

type Example = {
  readonly seenInPostgres: (query: (text: string, values: readonly unknown[]) => Promise<unknown>) => SeenWebhooks;
};

/** The store of the guard's README, as it stands there. */
const importExample = async (code: string): Promise<Example> =>
  // What the example exports; a test of it would fail otherwise.
  (await import(`data:text/javascript,${encodeURIComponent(stripTypeScriptTypes(code))}`)) as Example;

beforeAll(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 1 });
  const bench = openWorkbench(deployment);
  await bench.configure(platform, deviceDocument);
  person = await bench.account(platform);
  await bench.close();
  pool = createPool({ connectionString: deployment.databaseUrl, role: 'grantlog_migrate', max: 8 });
  await pool.query('create table webhook (id text primary key, until timestamptz not null, handled boolean not null default false)');
  const { seenInPostgres } = await importExample(examples[3] ?? '');
  seen = seenInPostgres((text, values) => pool.query(text, [...values]));
  agents = createSignUps({ platform, publicUrl: deployment.publicUrl, clientId: 'unnamed' });
});
afterAll(async () => {
  await pool.end();
  await deployment.stop();
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
});

const fetchJson = async (url: string): Promise<Readonly<Record<string, unknown>>> => {
  const response = await fetch(url);
  expect([url, response.status]).toEqual([url, 200]);
  return (await response.json()) as Record<string, unknown>;
};

/** The key of this id, by the issuer's metadata: an address in the request is never asked. */
const findKey = async (issuer: string, kid: unknown): Promise<CryptoKey> => {
  const metadata = await fetchJson(`${issuer}/.well-known/oauth-authorization-server`);
  const { keys } = (await fetchJson(String(metadata['jwks_uri']))) as { readonly keys: readonly Record<string, string>[] };
  const { kty = '', crv = '', x = '' } = keys.find((key) => key['kid'] === kid) ?? {};
  return crypto.subtle.importKey('jwk', { kty, crv, x }, { name: 'Ed25519' }, false, ['verify']);
};

const isGenuine = async ({ headers, text }: Request, of: { readonly issuer: string; readonly url: string }): Promise<boolean> => {
  const key = await findKey(of.issuer, headers['webhook-key-id']);
  const signed = new TextEncoder().encode(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`);
  const signatures = String(headers['webhook-signature']).split(' ');
  const verified = await Promise.all(
    signatures
      .filter((each) => each.startsWith('v1a,'))
      .map((each) => crypto.subtle.verify({ name: 'Ed25519' }, key, Buffer.from(each.slice(4), 'base64'), signed)),
  );
  const { data } = JSON.parse(text) as { readonly data: Readonly<Record<string, unknown>> };
  return verified.includes(true) && data['audience'] === of.url && Math.abs(Date.now() / 1000 - Number(headers['webhook-timestamp'])) < 300;
};

test('a receiver without storage verifies every webhook by the keys that the issuer publishes', async () => {
  const [api] = deployment.apis;
  if (api === undefined) throw new Error('there is no API');
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hooks`;
  const { accessToken, refreshToken } = await agents.connect(api, person);
  const registered = await fetch(agents.at(api, '/rest/webhook'), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${accessToken}` },
    body: JSON.stringify({ webhookUrl: `${url}?of=the-receiver`, signature: 'v1a', deliveryContext: { to: 'a-conversation' } }),
  });
  expect(await registered.json()).toMatchObject({ success: true, hasSecret: false, hasDeliveryContext: true });
  await fetch(agents.at(api, '/oauth/token'), {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken, client_id: 'unnamed' }),
  });
  const of = (type: string): Request | null => received.find(({ text }) => text.includes(`"type":"${type}"`)) ?? null;
  for (const type of ['webhook_endpoint.verification', 'grant.refreshed']) await eventually(`a webhook ${type}`, async () => of(type), 30);

  const issuer = `${deployment.publicUrl}/${platform}`;
  const { verify } = createWebhookReceiver({ issuer, url: `${url}?of=the-receiver` });
  const other = createWebhookReceiver({ issuer, url: 'https://somebody-else.example/hooks' });
  for (const request of received) {
    const { headers, text: body } = request;
    const { type } = JSON.parse(body) as { readonly type: string };
    expect(await verify({ headers, body })).toMatchObject({ kind: 'verified', message: { id: headers['webhook-id'], type } });
    expect(await other.verify({ headers, body })).toMatchObject({ kind: 'refused', reason: 'other_audience' });
    expect(await isGenuine(request, { issuer, url })).toBe(true);
    expect(await isGenuine(request, { issuer, url: 'https://somebody-else.example/hooks' })).toBe(false);
    expect(await isGenuine({ ...request, text: request.text.replace('a-conversation', 'another-one') }, { issuer, url })).toBe(false);
  }
});

test('processes that share the store of the README handle each webhook once', async () => {
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hooks`;
  const open = () => createWebhookReceiver({ issuer: `${deployment.publicUrl}/${platform}`, url, seen });
  const processes = [open(), open(), open()];
  const handled: string[] = [];
  const all = () =>
    Promise.all(
      received.flatMap(({ headers, text: body }) =>
        processes.map(({ receive }) => receive({ headers, body }, ({ id }) => void handled.push(id))),
      ),
    );
  await all();
  expect(new Set((await all()).map(({ kind }) => kind))).toEqual(new Set(['repeated']));
  expect(handled.sort()).toEqual(received.map(({ headers }) => String(headers['webhook-id'])).sort());
});

describeSeen('the store of the README', () => seen);
