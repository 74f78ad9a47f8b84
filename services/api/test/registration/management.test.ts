import { randomToken } from '@grantlog/crypto';
import { changeClient } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { by, openRegistrations, type Registered, type Registrations } from './support/registrations.ts';

let world: Registrations;
beforeAll(async () => {
  world = await openRegistrations(inject('databaseUrl'));
  await world.configure('other', { registration: { policy: ['open'] } });
});
afterAll(() => world.close());

const app = { client_name: 'An app', redirect_uris: ['https://a.example/cb', 'http://localhost/cb'], token_endpoint_auth_method: 'none' };
const site = { client_name: 'A site', redirect_uris: ['https://a.example/cb'], token_endpoint_auth_method: 'client_secret_basic' };
const invalidToken = (platform = 'home') => ({
  status: 401,
  body: { error: 'invalid_token' },
  headers: {
    'www-authenticate': expect.stringContaining(`Bearer realm="${platform}", error="invalid_token"`),
    'cache-control': 'no-store',
  },
});
/** What a client may send back of what it was answered. */
const withoutServerMembers = ({ id, body }: Registered): object => {
  const server = ['client_id_issued_at', 'client_secret_expires_at', 'registration_client_uri', 'registration_access_token'];
  return { ...Object.fromEntries(Object.entries(body).filter(([name]) => !server.includes(name))), client_id: id };
};
const settingsOf = async (id: string): Promise<unknown> => {
  const { rows } = await world.deps.pool.query<{ data: object }>(
    `select data from event where platform = 'home' and type = 'client.updated' and stream_id = $1 order by version desc limit 1`,
    [(await world.deps.directory.open(world.home))?.client(id)],
  );
  return rows[0]?.data;
};

describe('a registration access token', () => {
  test('reads what was registered, without the secret, which nobody has any more', async () => {
    const client = await world.registered(site);
    const { status, body, headers } = await world.manage('GET', client.id, client.token);
    const { client_secret: _, client_secret_expires_at: __, ...rest } = client.body;
    expect([status, body]).toEqual([200, rest]);
    expect(headers['cache-control']).toBe('no-store');
  });

  test('is asked for where there is none, and says so as a challenge', async () => {
    const { id } = await world.registered(app);
    for (const method of ['GET', 'PUT', 'DELETE'] as const) {
      const answer = await world.manage(method, id, null, method === 'PUT' ? app : undefined);
      expect(answer).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer realm="home"' } });
    }
  });

  test('is of one client of one platform, and of no other kind of token', async () => {
    const [one, other] = [await world.registered(app), await world.registered(app)];
    const elsewhere = await world.registered(app, 'other');
    const [tampered, flipped] = [`${one.token.slice(0, -1)}x`, one.token.replace('avo_g', 'avo_a')];
    for (const [id, token] of [
      [one.id, other.token],
      [one.id, elsewhere.token],
      [elsewhere.id, elsewhere.token],
      [one.id, tampered],
      [one.id, flipped],
      [one.id, 'nonsense'],
      [randomToken(16), one.token],
    ] as const) {
      for (const method of ['GET', 'PUT', 'DELETE'] as const)
        expect(await world.manage(method, id, token, method === 'PUT' ? { ...app, client_id: id } : undefined)).toMatchObject(
          invalidToken(),
        );
    }
    expect(await world.manage('GET', one.id, one.token, undefined, 'other')).toMatchObject(invalidToken('other'));
    expect((await world.manage('GET', elsewhere.id, elsewhere.token, undefined, 'other')).status).toBe(200);
  });

  test('goes on where registration was closed since', async () => {
    await world.configure('closing', { registration: { policy: ['open'] } });
    const client = await world.registered(app, 'closing');
    await world.configure('closing', { registration: { policy: ['preset'] } });
    expect((await world.register(app, 'closing')).status).toBe(403);
    expect((await world.manage('GET', client.id, client.token, undefined, 'closing')).status).toBe(200);
    expect((await world.manage('DELETE', client.id, client.token, undefined, 'closing')).status).toBe(204);
  });

  test('changes nothing of a client that an operator has disabled', async () => {
    const { id, token } = await world.registered(app);
    const task = { platform: world.home, clientId: id, command: { type: 'disable', reason: 'abuse' } } as const;
    await changeClient(world.deps.provisioning, by, task);
    for (const method of ['GET', 'PUT', 'DELETE'] as const)
      expect(await world.manage(method, id, token, method === 'PUT' ? { ...app, client_id: id } : undefined)).toMatchObject({
        status: 403,
        body: { error: 'access_denied' },
      });
  });
});

describe('an update', () => {
  test('takes the place of what there was: what it leaves out is gone', async () => {
    const client = await world.registered({ ...app, client_uri: 'https://a.example/', software_id: 'app', dpop_bound_access_tokens: true });
    const wanted = { client_name: 'A newer app', redirect_uris: ['http://127.0.0.1/cb'], token_endpoint_auth_method: 'none' };
    const { status, body } = await world.manage('PUT', client.id, client.token, { ...wanted, client_id: client.id });
    expect(status).toBe(200);
    expect(body).toMatchObject({ ...wanted, client_id: client.id, application_type: 'native', registration_access_token: client.token });
    for (const name of ['client_uri', 'software_id', 'dpop_bound_access_tokens']) expect(body).not.toHaveProperty(name);
    expect((await world.manage('GET', client.id, client.token)).body).toEqual(body);
    // Only what changed stands in the log.
    expect(await settingsOf(client.id)).toEqual({
      name: 'A newer app',
      redirectUris: ['http://127.0.0.1/cb'],
      dpopRequired: false,
      about: { clientUri: null, logoUri: null, tosUri: null, policyUri: null, softwareId: null, softwareVersion: null },
    });
    expect((await world.authorize(client.id, 'https://a.example/cb')).status).toBe(400);
  });

  test('of what already is records nothing, and may repeat the answer with its secret', async () => {
    const client = await world.registered(site);
    const before = await world.head(world.home);
    const { status, body } = await world.manage('PUT', client.id, client.token, withoutServerMembers(client));
    expect([status, body['client_name']]).toEqual([200, 'A site']);
    expect(body).not.toHaveProperty('client_secret');
    expect(await world.head(world.home)).toBe(before);
  });

  test.each([
    ['client_id', undefined, 'client_id is required'],
    ['client_id', 'another', 'client_id is not that of this registration'],
    ['registration_access_token', 'x', 'registration_access_token is for the server to say'],
    ['registration_client_uri', 'https://a.example', 'registration_client_uri is for the server to say'],
    ['client_secret_expires_at', 0, 'client_secret_expires_at is for the server to say'],
    ['client_id_issued_at', 1, 'client_id_issued_at is for the server to say'],
    ['client_secret', 'chosen by the client', 'client_secret is not the one that was issued'],
    ['client_secret', null, 'client_secret is not the one that was issued'],
    ['token_endpoint_auth_method', 'none', 'token_endpoint_auth_method stays client_secret_basic'],
    ['client_name', 7, 'client_name must be a string'],
  ])('with %s %j is refused', async (name, value, words) => {
    const client = await world.registered(site);
    const before = await world.head(world.home);
    const answer = await world.manage('PUT', client.id, client.token, { ...withoutServerMembers(client), [name]: value });
    expect(answer).toMatchObject({
      status: 400,
      body: { error: 'invalid_client_metadata', error_description: expect.stringContaining(words) },
    });
    expect(await world.head(world.home)).toBe(before);
  });

  test('is held to the rules of a registration', async () => {
    const client = await world.registered(app);
    const put = (change: object) => world.manage('PUT', client.id, client.token, { ...app, client_id: client.id, ...change });
    expect(await put({ redirect_uris: ['javascript:x'] })).toMatchObject({ status: 400, body: { error: 'invalid_redirect_uri' } });
    expect(await put({ redirect_uris: [] })).toMatchObject({ status: 400, body: { error: 'invalid_redirect_uri' } });
    expect(await put({ application_type: 'web' })).toMatchObject({ status: 400, body: { error: 'invalid_redirect_uri' } });
    expect(await put({ token_endpoint_auth_method: 'client_secret_post' })).toMatchObject({ status: 400 });
  });

  test('keeps a client of keys without a secret, and lets one with a secret change to keys', async () => {
    const jwks = { keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }] };
    const keyed = await world.registered({ ...site, token_endpoint_auth_method: 'private_key_jwt', jwks });
    const secret = { ...site, client_id: keyed.id };
    expect(await world.manage('PUT', keyed.id, keyed.token, secret)).toMatchObject({
      status: 400,
      body: { error_description: expect.stringContaining('stays private_key_jwt') },
    });
    const client = await world.registered(site);
    const toKeys = { ...site, client_id: client.id, token_endpoint_auth_method: 'private_key_jwt', jwks };
    expect((await world.manage('PUT', client.id, client.token, toKeys)).body).toMatchObject({
      token_endpoint_auth_method: 'private_key_jwt',
    });
    const form = {
      grant_type: 'refresh_token',
      refresh_token: 'x',
      client_id: client.id,
      client_secret: String(client.body['client_secret']),
    };
    expect(await world.token(form)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });
});

describe('a client that ends its registration', () => {
  test('is answered 204, once, and is gone everywhere: its tokens, its management, its people', async () => {
    const client = await world.registered(app);
    const stream = (await world.deps.directory.open(world.home))?.client(client.id);
    if (stream === undefined) throw new Error('home is there');
    const person = await world.account(world.home);
    const held = { platform: world.home, client: stream, clientId: client.id, account: person.id, scopes: ['vault:read'] } as const;
    const grant = await world.grant(held);
    const refresh = { grant_type: 'refresh_token', refresh_token: grant.refreshToken, client_id: client.id };
    expect((await world.token(refresh)).status).toBe(200);

    const { status, text, headers } = await world.manage('DELETE', client.id, client.token);
    expect([status, text, headers['cache-control']]).toEqual([204, '', 'no-store']);
    // RFC 7592 §2.3: from now on its token is of nobody.
    for (const method of ['GET', 'PUT', 'DELETE'] as const)
      expect(await world.manage(method, client.id, client.token, method === 'PUT' ? app : undefined)).toMatchObject(invalidToken());
    // The one signal by which clients register again.
    expect(await world.token(refresh)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    const page = await world.authorize(client.id);
    expect(page.text).toContain('The app itself has ended its registration');
    expect(page.status).toBe(400);
    expect(await world.everything()).toContain('{"reason": "by_itself"}');
  });
});
