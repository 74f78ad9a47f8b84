import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { deviceCode, openRegistrations, type Registrations, stumblingBlocks } from './support/registrations.ts';

let world: Registrations;
beforeAll(async () => {
  world = await openRegistrations(inject('databaseUrl'));
});
afterAll(() => world.close());

const site = { client_name: 'A site', redirect_uris: ['https://a.example/cb'] };
const usual = { grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], scope: 'vault:read vault:write' };
const anyToken = expect.stringMatching(/^avo_g[A-Za-z0-9_-]{77}$/);
const anyId = expect.stringMatching(/^[A-Za-z0-9_-]{22}$/);

describe('a client that registers', () => {
  test('is answered 201 with everything that was registered, and nothing else', async () => {
    const before = Math.floor(Date.now() / 1000);
    const { status, body, headers } = await world.register({ ...site, token_endpoint_auth_method: 'none' });
    expect(status).toBe(201);
    expect(body).toEqual({
      client_id: anyId,
      client_id_issued_at: expect.any(Number),
      registration_client_uri: `http://localhost:4000/home/oauth/register/${body['client_id']}`,
      registration_access_token: anyToken,
      ...site,
      ...usual,
      token_endpoint_auth_method: 'none',
      application_type: 'web',
    });
    expect(body['client_id_issued_at']).toSatisfy((at: number) => Number.isInteger(at) && Math.abs(at - before) < 30);
    expect(headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      pragma: 'no-cache',
      'access-control-allow-origin': '*',
    });
  });

  test('gets a secret that never expires, where it said nothing and is a site', async () => {
    const { body } = await world.register(site);
    expect(body).toMatchObject({
      client_secret: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      client_secret_expires_at: 0,
      token_endpoint_auth_method: 'client_secret_basic',
    });
  });

  test.each([
    ['client_secret_basic', (id: string, secret: string) => ({ authorization: `Basic ${btoa(`${id}:${secret}`)}` }), {}],
    ['client_secret_post', () => ({}), { asPost: true }],
  ] as const)(
    'is known by its secret as %s, whichever of the two it registered',
    async (_, header, { asPost = false }: { asPost?: boolean }) => {
      for (const method of ['client_secret_basic', 'client_secret_post']) {
        const { id, body } = await world.registered({ ...site, token_endpoint_auth_method: method });
        expect(body['token_endpoint_auth_method']).toBe(method);
        const secret = String(body['client_secret']);
        const { status, body: answer } = await world.send({
          method: 'POST',
          url: '/home/oauth/token',
          headers: { 'content-type': 'application/x-www-form-urlencoded', ...header(id, secret) },
          payload: new URLSearchParams({
            grant_type: 'refresh_token',
            refresh_token: 'avo_rnone',
            ...(asPost ? { client_id: id, client_secret: secret } : {}),
          }).toString(),
        });
        // Its grant is made up, but the client is the one it says it is.
        expect([status, answer['error']]).toEqual([400, 'invalid_grant']);
      }
    },
  );

  test('gets no secret where it is an app on a device and said nothing', async () => {
    const { body } = await world.register({ redirect_uris: ['http://127.0.0.1/cb'] });
    expect(body).toMatchObject({ token_endpoint_auth_method: 'none', application_type: 'native', client_name: 'An app on a device' });
    expect(body).not.toHaveProperty('client_secret');
    expect(body).not.toHaveProperty('client_secret_expires_at');
  });

  test('is named by its host where it has no name', async () => {
    expect((await world.register({ redirect_uris: ['https://a.example/cb'] })).body).toMatchObject({ client_name: 'a.example' });
  });

  test('gets back whatever it may say of itself', async () => {
    const said = {
      client_uri: 'https://a.example/',
      logo_uri: 'https://a.example/logo.png',
      tos_uri: 'https://a.example/tos',
      policy_uri: 'https://a.example/policy',
      software_id: '2e6dc280-f3c3-4e01-99a7-8181dbd1d23d',
      software_version: '0.1.38',
      post_logout_redirect_uris: ['https://a.example/bye'],
      backchannel_logout_uri: 'https://a.example/logout',
      backchannel_logout_session_required: true,
      id_token_signed_response_alg: 'ES256',
      dpop_bound_access_tokens: true,
      require_pushed_authorization_requests: true,
    };
    expect((await world.register({ ...site, ...said })).body).toMatchObject(said);
  });

  test('authenticates by its keys where it has them, and gets no secret', async () => {
    const key = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'one' };
    const asked = {
      ...site,
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks: { keys: [key] },
    };
    const { body } = await world.register(asked);
    expect(body).toMatchObject({
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks: { keys: [key] },
    });
    expect(body).not.toHaveProperty('client_secret');
    expect(stumblingBlocks(body)).toEqual([]);
  });

  test('is told what came of what this platform does not have', async () => {
    const { body } = await world.register({
      ...site,
      grant_types: ['authorization_code', 'refresh_token', deviceCode, 'implicit', 'client_credentials'],
      response_types: ['code', 'token'],
      scope: 'openid profile email',
      token_endpoint_auth_method: 'tls_client_auth',
      token_endpoint_auth_methods_supported: ['tls_client_auth', 'none'],
      contacts: ['somebody@example.com'],
      software_statement: 'e30.e30.',
      made_up: true,
    });
    expect(body).toMatchObject({ ...usual, token_endpoint_auth_method: 'none' });
    expect(Object.keys(body)).not.toEqual(expect.arrayContaining(['contacts']));
    expect(body).not.toHaveProperty('made_up');
  });

  test('may ask for every scope but those that open the settings of an account, whatever it named: it steps up later', async () => {
    expect((await world.register({ ...site, scope: 'vault:read account' })).body['scope']).toBe('vault:read vault:write');
  });

  test('gets the one grant that it asks for, and a device no redirect URI', async () => {
    await world.configure('devices', { grantTypes: ['authorization_code', 'refresh_token', deviceCode] });
    const { body } = await world.register(
      { client_name: 'A device', grant_types: [deviceCode], token_endpoint_auth_method: 'none' },
      'devices',
    );
    expect(body).toMatchObject({ grant_types: [deviceCode], token_endpoint_auth_method: 'none' });
    expect(body).not.toHaveProperty('redirect_uris');
    expect(body).not.toHaveProperty('response_types');
    expect((await world.register({ ...site, grant_types: ['authorization_code'] })).body['grant_types']).toEqual(['authorization_code']);
  });

  test('may register twice, as hosted assistants do, and is two clients', async () => {
    const [one, other] = await Promise.all([world.registered(site), world.registered(site)]);
    expect(one.id).not.toBe(other.id);
    expect(one.token).not.toBe(other.token);
    for (const { id, token } of [one, other]) expect((await world.manage('GET', id, token)).status).toBe(200);
  });

  test('is read as JSON of any kind of JSON', async () => {
    const payload = JSON.stringify(site);
    const answer = await world.send({
      method: 'POST',
      url: '/home/oauth/register',
      headers: { 'content-type': 'application/json; charset=UTF-8' },
      payload,
    });
    expect(answer.status).toBe(201);
  });
});

describe('discovery', () => {
  test('names the endpoint where registration is open, and only there', async () => {
    await world.configure('shut', { registration: { policy: ['preset', 'approval'] } });
    for (const form of ['/.well-known/oauth-authorization-server/%', '/%/.well-known/oauth-authorization-server']) {
      const at = (name: string) => world.send({ method: 'GET', url: form.replace('%', name) });
      expect((await at('home')).body['registration_endpoint']).toBe('http://localhost:4000/home/oauth/register');
      expect((await at('shut')).body).not.toHaveProperty('registration_endpoint');
    }
  });

  test('lets pages of any origin register and manage', async () => {
    for (const url of ['/home/oauth/register', '/home/oauth/register/some-id']) {
      const { status, headers } = await world.send({ method: 'OPTIONS', url, headers: { origin: 'https://inspector.example' } });
      expect(status).toBe(204);
      expect(headers['access-control-allow-methods']).toContain('PUT, DELETE');
    }
  });
});
