import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
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
const received: Request[] = [];
const receiver = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    received.push({ headers: request.headers, text: Buffer.concat(chunks).toString('utf8') });
    response.writeHead(204).end();
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 1 });
  const bench = openWorkbench(deployment);
  await bench.configure(platform, deviceDocument);
  person = await bench.account(platform);
  await bench.close();
  agents = createSignUps({ platform, publicUrl: deployment.publicUrl, clientId: 'unnamed' });
});
afterAll(async () => {
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
  for (const request of received) {
    expect(await isGenuine(request, { issuer, url })).toBe(true);
    expect(await isGenuine(request, { issuer, url: 'https://somebody-else.example/hooks' })).toBe(false);
    expect(await isGenuine({ ...request, text: request.text.replace('a-conversation', 'another-one') }, { issuer, url })).toBe(false);
  }
});
