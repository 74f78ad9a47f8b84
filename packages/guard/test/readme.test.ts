import { request } from 'node:http';
import { createWebhookKeyPair, signJwt, webhookPublicJwk } from '@grantlog/crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createProofKey } from '../../../test/support/proof-key.ts';
import { type FakeAuthorizationServer, startAuthorizationServer } from './authorization-server.ts';
import { type Example, examples, startExample } from './readme-example.ts';
import { audience, authorization, claimsOf, makeKey, pushed, revoked } from './security-events/tokens.ts';
import { attempt, told } from './webhooks/attempts.ts';

const { secretKey, publicKey } = createWebhookKeyPair();
const webhookToken = 'a-random-token';

let server: FakeAuthorizationServer;
let example: Example;
let receiver: Example;
let keyless: Example;
let signals: Example;
let url: string;

beforeAll(async () => {
  server = await startAuthorizationServer();
  server.reset();
  const [resourceServer = '', webhookReceiver = '', keylessReceiver = '', , signalReceiver = ''] = examples;
  example = await startExample(
    resourceServer,
    { ISSUER: server.issuer, RESOURCE: server.resource, CLIENT_ID: 'resources', CLIENT_SECRET: 'secret' },
    401,
  );
  receiver = await startExample(webhookReceiver, { WEBHOOK_SECRET: publicKey, WEBHOOK_TOKEN: webhookToken }, 400);
  keyless = await startExample(keylessReceiver, { WEBHOOK_KEYS: server.metadata.jwks_uri }, 400);
  const stream = { ISSUER: server.issuer, AUDIENCE: audience, AUTHORIZATION: authorization };
  signals = await startExample(signalReceiver, stream, 400);
  url = example.url;
});
afterAll(async () => {
  example.stop();
  receiver.stop();
  keyless.stop();
  signals.stop();
  await server.stop();
});
beforeEach(() => {
  server.reset();
  example.forget();
  receiver.forget();
  keyless.forget();
  signals.forget();
});

const live = () => ({
  active: true,
  iss: server.issuer,
  aud: server.resource,
  sub: 'ada',
  client_id: 'app',
  token_type: 'Bearer',
  scope: 'read',
  exp: Math.floor(Date.now() / 1_000) + 60,
});
const get = (authorization: string): Promise<Response> => fetch(url, { headers: { authorization } });

test('the server of the README asks for credentials, and its metadata is where the challenge says', async () => {
  const response = await fetch(url);
  expect(response.status).toBe(401);
  const named = /resource_metadata="([^"]+)"/.exec(response.headers.get('www-authenticate') ?? '')?.[1] ?? '';
  expect(named).toBe(server.resourceMetadata);
  const metadata = await fetch(url + new URL(named).pathname);
  expect(metadata.headers.get('access-control-allow-origin')).toBe('*');
  expect(await metadata.json()).toMatchObject({
    resource: server.resource,
    authorization_servers: [server.issuer],
    scopes_supported: ['read'],
  });
});

test('it lets a good token in, and no other', async () => {
  server.reply('introspection', live());
  const allowed = await get('Bearer tok');
  expect([allowed.status, await allowed.text()]).toEqual([200, 'Hello ada\n']);
  server.reply('introspection', { ...live(), scope: 'write' });
  const lacking = await get('Bearer tok');
  expect([lacking.status, await lacking.json()]).toEqual([403, expect.objectContaining({ error: 'insufficient_scope' })]);
  server.reply('introspection', { active: false });
  expect((await get('Bearer tok')).status).toBe(401);
  expect((await fetch(`${url}?access_token=tok`)).status).toBe(401);
});

test('it takes a token that is bound to a key with a proof for the URL that clients call, once', async () => {
  const key = createProofKey();
  server.reply('introspection', { ...live(), token_type: 'DPoP', cnf: { jkt: key.jkt } });
  const dpop = key.proof({ method: 'GET', url: `${server.origin}/`, token: 'tok' });
  const shown = (authorization: string) => fetch(url, { headers: { authorization, dpop } });
  expect((await shown('Bearer tok')).headers.get('www-authenticate')).toMatch(/^Bearer .*, DPoP algs="/);
  expect([(await shown('DPoP tok')).status, (await shown('DPoP tok')).status]).toEqual([200, 401]);
});

test('it takes HTTP Basic with the address of the caller, and tells of its end', async () => {
  server.reply('basic', {
    active: true,
    iss: server.issuer,
    aud: server.resource,
    sub: 'ada',
    roles: [],
    account_kind: 'person',
    notice: { limit: 10, remaining: 3 },
  });
  const response = await get(`Basic ${btoa('ada@example.org:word')}`);
  expect([response.status, response.headers.get('ratelimit')]).toEqual([200, '"exploration";r=3']);
  // Also where node:http writes it as IPv6.
  expect(server.asked('basic')[0]?.form.get('client_address')).toMatch(/(^|:)127\.0\.0\.1$/);
});

test('it takes no HTTP Basic that a page of another origin has a browser send', async () => {
  const headers = { authorization: `Basic ${btoa('ada@example.org:word')}`, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' };
  const status = await new Promise((resolve, reject) => {
    const asked = request(url, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.once('error', reject).end();
  });
  expect(status).toBe(403);
  expect(server.asked('basic')).toEqual([]);
});

test('it refuses two Authorization headers', async () => {
  server.reply('introspection', live());
  const status = await new Promise((resolve, reject) => {
    const asked = request(url, { headers: ['Host', 'x', 'Authorization', 'Bearer tok', 'Authorization', 'Bearer other'] }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.once('error', reject).end();
  });
  expect(status).toBe(400);
});

test('it says 503 and writes what to fix when it cannot ask', async () => {
  server.reply('introspection', (_, response) => void response.writeHead(401).end());
  const response = await get('Bearer tok');
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
  await expect.poll(() => example.output.err).toMatch(/client_refused .*check clientId and clientSecret/);
  expect(example.output.err).not.toMatch(/tok\b|Bearer/);
});

test('the receiver of the README handles a webhook once', async () => {
  const body = JSON.stringify({ ...told, timestamp: new Date().toISOString() });
  const send = (text = body, authorization = `Bearer ${webhookToken}`) => {
    const { headers } = attempt({ secrets: [secretKey], timestampSeconds: Math.floor(Date.now() / 1_000), body });
    return fetch(receiver.url, { method: 'POST', headers: { ...headers, authorization }, body: text });
  };
  const forged = await send(body.replace('"sequence":3', '"sequence":4'));
  expect([forged.status, await forged.json()]).toEqual([403, expect.objectContaining({ error: 'no_matching_signature' })]);
  const strange = await send(body, 'Bearer another');
  expect([strange.status, strange.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  expect([(await send()).status, (await send()).status]).toEqual([204, 204]);
  await expect.poll(() => receiver.output.out).toBe('grant.refreshed g1 3\n');
});

test('the receiver of the README that keeps no key finds it among those of its endpoint', async () => {
  server.reply('keys', { keys: [webhookPublicJwk({ secret: secretKey, kid: 'newest' })] });
  const { headers, body } = attempt({ secrets: [secretKey], timestampSeconds: Math.floor(Date.now() / 1_000) });
  const send = (kid: string) => fetch(keyless.url, { method: 'POST', headers: { ...headers, 'webhook-key-id': kid }, body });
  expect((await send('newest')).status).toBe(204);
  expect((await send('another')).status).toBe(403);
  await expect.poll(() => keyless.output.out).toBe('grant.refreshed 3\n');
});

test('the receiver of security events of the README takes each once, and says in the words of RFC 8935 what it does not take', async () => {
  const key = await makeKey();
  server.reply('keys', { keys: [key.publicJwk] });
  const push = async (change = {}) => {
    const { headers, body } = pushed(await signJwt({ key, typ: 'secevent+jwt', claims: { ...claimsOf(server.issuer), ...change } }));
    const response = await fetch(signals.url, { method: 'POST', headers: { ...headers, authorization }, body });
    return [response.status, response.headers.get('content-language'), await response.text()];
  };
  expect(await push({ aud: 'another' })).toEqual([400, 'en', expect.stringContaining('"err":"invalid_audience"')]);
  expect([await push(), await push()]).toEqual([
    [202, null, ''],
    [202, null, ''],
  ]);
  await expect.poll(() => signals.output.out).toBe(`${revoked} {"format":"opaque","id":"g1"} {"initiating_entity":"policy"}\n`);
});
