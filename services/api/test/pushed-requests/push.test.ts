import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import type { Fields, KeyedClient, TestKey } from '../client-assertion/support/keyed-clients.ts';
import { shown, signed } from '../client-assertion/support/keyed-clients.ts';
import { openPushWorld, type PushWorld } from './support/pushers.ts';

let world: PushWorld;
let client: KeyedClient & { readonly key: TestKey };
beforeAll(async () => {
  world = await openPushWorld(inject('databaseUrl'));
  client = await world.keyed();
});
beforeEach(() => world.deps.pool.query('delete from attempt_bucket'));
afterAll(() => world.close());

const kept = async (): Promise<number> => {
  const { rows } = await world.deps.pool.query<{ count: number }>('select count(*)::int as count from pushed_request');
  return rows[0]?.count ?? -1;
};

describe('a pushed authorization request', () => {
  test('is kept and answered with a reference for ninety seconds, to be stored by nobody', async () => {
    const answer = await world.push(client);
    expect(answer).toMatchObject({ status: 201, headers: { 'cache-control': 'no-store', 'access-control-allow-origin': '*' } });
    expect(answer.body).toEqual({
      request_uri: expect.stringMatching(/^urn:ietf:params:oauth:request_uri:[A-Za-z0-9_-]{43}$/),
      expires_in: 90,
    });
  });

  test('is nowhere in the clear, and its reference nowhere at all', async () => {
    const head = await world.head(world.platform);
    const assertion = signed(client.key, world.clients.claims(client, { jti: 'canary-jti' }));
    const requestUri = await world.pushed(client, { state: 'canary-state', nonce: 'canary-nonce', ...shown(assertion) });
    const reference = requestUri.split(':').at(-1) ?? '';
    const { rows } = await world.deps.pool.query<{ text: string }>(
      `select string_agg(encode(id, 'escape') || encode(sealed, 'escape') || encode(id, 'base64'), '') as text from pushed_request`,
    );
    const written = `${rows[0]?.text}${await world.everything()}${world.lines.join('')}`;
    for (const secret of [reference, assertion.split('.').at(-1) ?? '', 'canary-state', 'canary-nonce', 'canary-jti'])
      expect(written.includes(secret), secret).toBe(false);
    // All that it writes to the log is that the client's assertion is used up.
    expect(await world.head(world.platform)).toBe(head + 1);
  });

  test('is taken from a client with a secret, with keys, or with neither', async () => {
    const secret = await world.clients.register(
      world.platform,
      {},
      { authMethods: ['client_secret_basic'], grantTypes: ['authorization_code'] },
    );
    const authorization = `Basic ${btoa(`${secret.clientId}:${secret.secret}`)}`;
    expect((await world.push(secret, {}, { authorization })).status).toBe(201);
    expect((await world.push(await world.publicClient())).status).toBe(201);
    const atItself = signed(client.key, world.clients.claims(client, { aud: `${world.clients.issuerOf(world.platform)}/oauth/par` }));
    expect((await world.push(client, shown(atItself))).status).toBe(201);
  });

  test.each<readonly [string, Fields, string]>([
    ['a request_uri', { request_uri: 'urn:ietf:params:oauth:request_uri:x' }, 'invalid_request'],
    ['a request object', { request: 'x.y.z' }, 'request_not_supported'],
    ['a redirect URI that is not registered', { redirect_uri: 'https://evil.example/cb' }, 'invalid_request'],
    ['no redirect URI, though OpenID Connect wants one', { redirect_uri: '', scope: 'openid' }, 'invalid_request'],
    ['a scope that is none', { scope: 'canary' }, 'invalid_scope'],
    ["somebody else's resource", { resource: 'https://elsewhere.example' }, 'invalid_target'],
    ['no response type', { response_type: '' }, 'invalid_request'],
    ['another response type', { response_type: 'token' }, 'unsupported_response_type'],
    ['a plain challenge', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['no challenge', { code_challenge: '', code_challenge_method: '' }, 'invalid_request'],
    ['prompts that contradict each other', { prompt: 'none login' }, 'invalid_request'],
    ['another client_id than it shows', { client_id: 'another' }, 'invalid_request'],
  ])('with %s is told so at once and not kept', async (_what, change, error) => {
    const before = await kept();
    expect(await world.push(client, change)).toMatchObject({
      status: 400,
      headers: { 'cache-control': 'no-store' },
      body: { error, error_description: expect.any(String) },
    });
    expect(await kept()).toBe(before);
  });

  test('with a parameter twice is refused', async () => {
    const form = new URLSearchParams({ ...world.asked, ...shown(signed(client.key, world.clients.claims(client))) });
    form.append('scope', 'write');
    const response = await world.app.inject({
      method: 'POST',
      url: `/${world.platform}/oauth/par`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: String(form),
    });
    expect([response.statusCode, response.json()]).toMatchObject([400, { error: 'invalid_request' }]);
  });

  test('of a client that must not ask for authorizations is refused', async () => {
    const [waiting, machine] = [await world.keyed({ approval: 'pending' }), await world.keyed({ grantTypes: ['refresh_token'] })];
    expect(await world.push(waiting)).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } });
    expect(await world.push(machine)).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } });
    for (const nobody of [
      { ...client, clientId: 'nobody' },
      { ...client, key: undefined },
    ])
      expect(await world.push(nobody as KeyedClient)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });
});

describe('the endpoint', () => {
  test.each(['GET', 'PUT', 'DELETE', 'PATCH'] as const)('answers %s with 405 (FA-16)', async (method) => {
    const response = await world.app.inject({ method, url: `/${world.platform}/oauth/par` });
    expect([response.statusCode, response.headers.allow]).toEqual([405, expect.stringContaining('POST')]);
  });

  test('takes nothing from the URL', async () => {
    const answer = await world.clients.send(`/${world.platform}/oauth/par?client_secret=hidden`, {});
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  test('is in the metadata of a platform that has codes, and nowhere on one that has none', async () => {
    const metadata = async (name: string) => (await world.app.inject(`/${name}/.well-known/oauth-authorization-server`)).json() as object;
    expect(await metadata('pushers')).toMatchObject({
      pushed_authorization_request_endpoint: 'http://localhost:4000/pushers/oauth/par',
      token_endpoint_auth_methods_supported: expect.arrayContaining(['private_key_jwt', 'none']),
      token_endpoint_auth_signing_alg_values_supported: ['RS256', 'ES256', 'EdDSA', 'PS256'],
    });
    const machines = await world.configure('machines', {
      grantTypes: ['client_credentials'],
      presetClients: [],
      agentSignUp: null,
    });
    expect(Object.keys(await metadata('machines'))).not.toContain('pushed_authorization_request_endpoint');
    const theirs = await world.keyed({ grantTypes: ['client_credentials'] }, machines);
    expect((await world.push(theirs)).status).toBe(404);
  });

  test('keeps no more than its budget for clients that prove nothing or made themselves, and has no bound for others', async () => {
    const anybody = await world.publicClient();
    const selfMade = await world.keyed({ how: 'dynamic' });
    const statuses = new Set<number>();
    for (let nth = 0; nth < 110 && !statuses.has(429); nth += 1)
      statuses.add((await world.push(nth % 2 === 0 ? anybody : selfMade)).status);
    expect([...statuses]).toEqual([201, 429]);
    for (const stranger of [anybody, selfMade]) {
      const refused = await world.push(stranger);
      expect(refused).toMatchObject({ status: 429, body: { error: 'temporarily_unavailable' } });
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    }
    expect((await world.push(client)).status).toBe(201);
  });

  test('takes nothing on a platform that is suspended', async () => {
    const asleep = await world.configure('asleep');
    const theirs = await world.keyed({}, asleep);
    await world.call(await world.operator('operator'), 'POST', '/system/manage/platforms/asleep/suspend', {});
    expect(await world.push(theirs)).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
  });
});
