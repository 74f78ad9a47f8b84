import { generateKeyPairSync, sign } from 'node:crypto';
import { type ClientChange, changeClient } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { by } from '../pages/support/agents.ts';
import { type Described, openDescribed, plain } from './support/described.ts';

let world: Described;
beforeAll(async () => {
  world = await openDescribed(inject('databaseUrl'));
});
afterAll(() => world.close());

/** What an operator does to it. */
const change = async (clientId: string, command: ClientChange) => {
  const changed = await changeClient(world.deps.provisioning, by, { platform: world.home, clientId, command });
  expect(changed).not.toHaveProperty('refusal');
};

describe('a client that its document describes', () => {
  test('enters the log with the first decision of a person, and not before', async () => {
    const { site } = world;
    const url = site.describe('/first', plain);
    const looked = await world.during(() => world.atConsent(url), world.home);
    expect(looked.result.page.text).toContain('Allow Robot?');
    expect(looked.types).not.toContain('client.registered');
    expect(await world.clientOf(url)).toEqual({ status: 'none' });

    const allowed = await world.decide(looked.result);
    expect(allowed.types).toEqual(['client.registered', 'grant.authorized']);
    expect(new Set(allowed.events.map(({ commitId }) => commitId)).size).toBe(1);
    expect(await world.clientOf(url)).toMatchObject({
      status: 'active',
      clientId: url,
      name: 'Robot',
      how: 'metadata_document',
      kind: 'public',
      approval: 'approved',
      redirectUris: plain.redirect_uris,
      scopes: null,
      roles: [],
      serves: [],
    });
    const { status, body } = await world.redeem(allowed, looked.result);
    expect([status, body['scope']]).toEqual([200, 'read']);
    expect(site.asked.filter((path) => path === '/first')).toHaveLength(1);
  });

  test('leaves nothing behind when the person denies', async () => {
    const url = world.site.describe('/denied', plain);
    const denied = await world.decide(await world.atConsent(url), 'deny');
    expect(denied.result.location).toContain('error=access_denied');
    expect(denied.types).toEqual(['grant.denied']);
    expect(await world.clientOf(url)).toEqual({ status: 'none' });
  });

  test('is registered once by twenty people who decide at the same time', async () => {
    const url = world.site.describe('/crowd', plain);
    const waiting = await Promise.all(Array.from({ length: 20 }, () => world.atConsent(url)));
    const { types, result } = await world.during(() => Promise.all(waiting.map((at) => world.decide(at))), world.home);
    expect(result.map(({ result: { status } }) => status)).toEqual(waiting.map(() => 303));
    expect(types.filter((type) => type === 'client.registered')).toHaveLength(1);
    expect(types.filter((type) => type === 'grant.authorized')).toHaveLength(waiting.length);
  });

  test('is brought up to date in the commit of the next decision once its document has changed', async () => {
    const { site } = world;
    const url = site.describe('/changing', plain);
    await world.decide(await world.atConsent(url));
    site.describe('/changing', {
      ...plain,
      client_name: 'Tobor',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: `${site.origin}/keys`,
    });
    world.wait(61);
    const at = await world.atConsent(url);
    expect(at.page.text).toContain('Allow Tobor?');
    expect(await world.clientOf(url)).toMatchObject({ name: 'Robot' });
    const allowed = await world.decide(at);
    expect(allowed.types).toEqual(['client.updated', 'grant.authorized']);
    expect(allowed.events[0]?.data).toEqual({
      name: 'Tobor',
      kind: 'confidential',
      authMethods: ['private_key_jwt'],
      jwksUri: `${site.origin}/keys`,
    });
    const { types } = await world.decide(await world.atConsent(url));
    expect(types).toEqual(['grant.authorized']);
  });

  test('keeps what an operator has set for it', async () => {
    const { site } = world;
    const url = site.describe('/operated', plain);
    await world.decide(await world.atConsent(url));
    await change(url, { type: 'update', changes: { scopes: ['read'], dpopRequired: true } });
    site.describe('/operated', { ...plain, client_name: 'Operated' });
    world.wait(61);
    const at = await world.atConsent(url);
    expect((await world.decide(at)).events.find(({ type }) => type === 'client.updated')?.data).toEqual({ name: 'Operated' });
    expect(await world.clientOf(url)).toMatchObject({ name: 'Operated', scopes: ['read'], dpopRequired: true });
  });

  test('is refused at the click once its document has lost the redirect URI', async () => {
    const { site } = world;
    const url = site.describe('/moved', plain);
    const at = await world.atConsent(url);
    site.describe('/moved', { ...plain, redirect_uris: ['https://elsewhere.example/cb'] });
    world.wait(61);
    const { result, types } = await world.decide(at);
    expect([result.status, types]).toEqual([400, []]);
    expect(result.text).toContain('not allowed any more');
    expect(await world.clientOf(url)).toEqual({ status: 'none' });
  });

  test('keeps its grants and gets no new ones while its site does not answer', async () => {
    const { site } = world;
    const url = site.describe('/fragile', plain);
    const at = await world.atConsent(url);
    const { body } = await world.redeem(await world.decide(at), at);
    const second = await world.atConsent(url);
    site.answer('/fragile', (_, reply) => reply.writeHead(503).end('down'));
    world.wait(61);

    const refused = await world.open(url);
    expect(refused.status).toBe(400);
    expect(refused.text).toContain(
      'describes itself at localhost, and this description cannot be used: The server answered with status 503',
    );
    const clicked = await world.decide(second);
    expect([clicked.result.status, clicked.types]).toEqual([400, []]);
    const refreshed = await world.refresh(body['refresh_token'] ?? '', url);
    expect([refreshed.status, refreshed.body['token_type']]).toEqual([200, 'Bearer']);
  });

  test('is answered once more on a second click although its site is down by then', async () => {
    const { site } = world;
    const url = site.describe('/twice', plain);
    const at = await world.atConsent(url);
    const { result } = await world.decide(at);
    site.answer('/twice', (_, reply) => reply.writeHead(503).end());
    world.wait(61);
    const again = await world.decide(at);
    expect([again.result.location, again.types]).toEqual([result.location, []]);
  });

  test('is another client on each platform', async () => {
    const url = world.site.describe('/everywhere', plain);
    const other = await world.configurePlatform('other');
    const at = await world.atConsent(url);
    const { body } = await world.redeem(await world.decide(at), at);
    expect(await world.clientOf(url, other)).toEqual({ status: 'none' });
    expect((await world.refresh(body['refresh_token'] ?? '', url, other)).body['error']).toBe('invalid_client');
    expect((await world.decide(await world.atConsent(url, {}, other))).types).toEqual(['client.registered', 'grant.authorized']);
  });

  test('is one client of many installations, each with a grant of its own', async () => {
    const url = world.site.describe('/shared', plain);
    const at = await world.atConsent(url);
    const one = await world.redeem(await world.decide(at), at);
    const form = await at.browser.open(`/oauth/authorize?${new URLSearchParams({ client_id: url })}`);
    expect(form.status).toBe(400);
    const again = await world.atConsent(url);
    const two = await world.redeem(await world.decide(again), again);
    for (const { body } of [one, two]) expect((await world.refresh(body['refresh_token'] ?? '', url)).status).toBe(200);
  });

  test('stays ended where an operator has disabled it, whatever its site says', async () => {
    const { site } = world;
    const url = site.describe('/disabled', plain);
    await world.decide(await world.atConsent(url));
    await change(url, { type: 'disable', reason: 'abuse' });
    world.wait(61);
    const before = site.asked.length;
    expect((await world.open(url)).text).toContain('disabled by the operator');
    expect(site.asked).toHaveLength(before);
  });

  test('is named by its URL in the management API, however long that is', async () => {
    const operator = await world.operator('operator');
    const url = world.site.describe(`/managed/${'a'.repeat(400)}`, plain);
    await world.decide(await world.atConsent(url));
    const path = `/${world.home}/manage/clients/${encodeURIComponent(url)}`;
    const { status, body } = await world.call(operator, 'GET', path);
    expect([status, body['clientId'], body['how']]).toEqual([200, url, 'metadata_document']);
  });

  test('may push its request before anybody has used it, and write nothing', async () => {
    const url = world.site.describe('/pushing', plain);
    const { result, types } = await world.during(() => world.push(url), world.home);
    expect(result.status).toBe(201);
    expect(types.filter((type) => type.startsWith('client.'))).toEqual([]);
    const page = await world.open(url, { request_uri: result.body['request_uri'] ?? '' });
    expect(page.status).toBe(200);
    expect(page.text).toContain('Robot');
    world.site.answer('/pushing-nothing', (_, reply) => reply.writeHead(500).end());
    expect((await world.push(`${world.site.origin}/pushing-nothing`)).body['error']).toBe('invalid_client');
  });

  test('that lists both methods redeems without a proof and with an assertion, as ChatGPT may', async () => {
    const { site } = world;
    const signer = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = { ...signer.publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'ES256' };
    site.answer('/both/keys', (_, reply) =>
      reply.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [jwk] })),
    );
    const url = site.describe('/both', {
      ...plain,
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
      jwks_uri: `${site.origin}/both/keys`,
    });
    const assert = (): string => {
      const now = Math.floor(Date.now() / 1000);
      const claims = { iss: url, sub: url, aud: `http://localhost:4000/${world.home}`, iat: now, exp: now + 60, jti: crypto.randomUUID() };
      const parts = [{ alg: 'ES256', kid: 'one' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
      const signature = sign('sha256', Buffer.from(parts.join('.')), { key: signer.privateKey, dsaEncoding: 'ieee-p1363' });
      return [...parts, signature.toString('base64url')].join('.');
    };
    const plainly = await world.atConsent(url);
    expect((await world.redeem(await world.decide(plainly), plainly)).status).toBe(200);
    const proved = await world.atConsent(url);
    const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
    const redeemed = await world.redeem(await world.decide(proved), proved, { client_assertion_type, client_assertion: assert() });
    expect([redeemed.status, redeemed.body['token_type']]).toEqual([200, 'Bearer']);
    expect(site.asked.filter((path) => path === '/both/keys')).toHaveLength(1);
  });
});
