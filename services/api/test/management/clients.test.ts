import { consumeOnce, createPool, ensureSubscriptions, transaction } from '@grantlog/postgres';
import { clientList, ensureGenerations, requestRebuild, subscriptionOf } from '@grantlog/read-models';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createWorld, tenantJson, type World } from './support/world.ts';

let world: World;
let root: string;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  root = await world.operator('operator');
});
afterAll(() => world.close());

const clients = '/arlo/manage/clients';
const web = { kind: 'confidential', name: 'A web app', redirectUris: ['https://app.example/cb'] };
const register = async (body: object): Promise<{ readonly id: string; readonly at: string; readonly secret: string }> => {
  const { status, body: answer, headers } = await world.call(root, 'POST', clients, body);
  expect(status).toBe(201);
  expect(headers['location']).toBe(`${clients}/${answer['clientId']}`);
  return { id: String(answer['clientId']), at: `${clients}/${answer['clientId']}`, secret: String(answer['secret']) };
};
const tokenStatus = async (id: string, secret: string): Promise<number> => {
  const response = await world.app.inject({
    method: 'POST',
    url: '/arlo/oauth/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: `Basic ${btoa(`${id}:${secret}`)}` },
    payload: 'grant_type=client_credentials',
  });
  return response.statusCode;
};
const worker = { kind: 'confidential', name: 'A machine', grantTypes: ['client_credentials'] };

test('a client is registered with what fits its kind and read back without its secret', async () => {
  const client = await register(web);
  const read = await world.call(root, 'GET', client.at);
  expect(read.status).toBe(200);
  expect(read.body).toMatchObject({
    clientId: client.id,
    kind: 'confidential',
    how: 'portal',
    status: 'active',
    approval: 'approved',
    authMethods: ['client_secret_basic', 'client_secret_post'],
    grantTypes: ['authorization_code', 'refresh_token'],
    secrets: 1,
  });
  expect(read.text).not.toContain(client.secret);
  expect(read.text).not.toContain('Nonce');
});

test('a public client has no secret, may listen on loopback, and is not given one later', async () => {
  const { body } = await world.call(root, 'POST', clients, {
    kind: 'public',
    name: 'An app',
    redirectUris: ['http://127.0.0.1/cb', 'com.example.app:/cb'],
  });
  expect(body['secret']).toBeNull();
  expect(await world.call(root, 'POST', `${clients}/${body['clientId']}/secret`)).toMatchObject({
    status: 409,
    body: { code: 'secret_not_allowed' },
  });
});

test('http on loopback is for public clients, and for others where the platform switches it on', async () => {
  const local = { ...web, redirectUris: ['https://app.example/cb', 'http://localhost:3000/cb'] };
  const refused = await world.call(root, 'POST', clients, local);
  expect(refused).toMatchObject({ status: 400, body: { errors: [{ path: 'redirectUris[1]' }] } });
  const document = tenantJson('lenient', { switches: { httpLoopbackRedirects: true } });
  expect((await world.call(root, 'PUT', '/system/manage/platforms/lenient', document)).status).toBe(201);
  expect((await world.call(root, 'POST', '/lenient/manage/clients', local)).status).toBe(201);
});

test('every redirect URI that is refused is told, at registration and at a change', async () => {
  const redirectUris = [
    'javascript:alert(1)',
    'https://ok.example/cb',
    'http://app.example/cb',
    'https://ok.example/cb',
    'https://ok.example/#f',
  ];
  const paths = (answer: { readonly body: Readonly<Record<string, unknown>> }) =>
    (answer.body['errors'] as readonly { readonly path: string }[]).map(({ path }) => path);
  const expected = ['redirectUris[0]', 'redirectUris[2]', 'redirectUris[3]', 'redirectUris[4]'];
  expect(paths(await world.call(root, 'POST', clients, { ...web, redirectUris }))).toEqual(expected);
  const client = await register(web);
  expect(paths(await world.call(root, 'PATCH', client.at, { redirectUris }))).toEqual(expected);
});

test('a change takes what it names, and nothing when it is there already', async () => {
  const client = await register(web);
  const changed = await world.call(root, 'PATCH', client.at, { name: 'Renamed', scopes: ['read'], serves: ['https://arlo.example/api'] });
  expect(changed).toMatchObject({ status: 200, body: { changed: true, position: await world.head(world.arlo) } });
  expect(await world.call(root, 'PATCH', client.at, { name: 'Renamed' })).toMatchObject({
    body: { changed: false, position: changed.body['position'] },
  });
  expect(await world.call(root, 'PATCH', client.at, {})).toMatchObject({ body: { changed: false } });
  expect((await world.call(root, 'GET', client.at)).body).toMatchObject({
    name: 'Renamed',
    scopes: ['read'],
    redirectUris: ['https://app.example/cb'],
  });
});

describe('secrets', () => {
  test('rotate with an overlap, in which both are good, and without one, in which only the new one is', async () => {
    const client = await register(worker);
    expect(await tokenStatus(client.id, client.secret)).toBe(200);
    const second = await world.call(root, 'POST', `${client.at}/secret`, { overlapSeconds: 60 });
    expect(second.status).toBe(200);
    expect(await tokenStatus(client.id, client.secret)).toBe(200);
    expect(await tokenStatus(client.id, String(second.body['secret']))).toBe(200);
    expect((await world.call(root, 'GET', client.at)).body['secrets']).toBe(2);
    const third = await world.call(root, 'POST', `${client.at}/secret`);
    expect(await tokenStatus(client.id, String(second.body['secret']))).toBe(401);
    expect(await tokenStatus(client.id, client.secret)).toBe(401);
    expect(await tokenStatus(client.id, String(third.body['secret']))).toBe(200);
  });

  test('stand in no event and in no later answer', async () => {
    const client = await register(worker);
    const rotated = await world.call(root, 'POST', `${client.at}/secret`, { overlapSeconds: 60 });
    const everything = (await world.everything()) + (await world.call(root, 'GET', client.at)).text;
    for (const secret of [client.secret, String(rotated.body['secret'])]) {
      expect(secret.length).toBe(43);
      expect(everything).not.toContain(secret);
    }
  });
});

test('a pending client waits for approval, a rejected one may still be approved, an approved one is not rejected', async () => {
  const client = await register({ ...worker, approval: 'pending' });
  expect(await tokenStatus(client.id, client.secret)).toBe(400);
  expect(await world.call(root, 'POST', `${client.at}/reject`, { reason: 'abuse' })).toMatchObject({ body: { changed: true } });
  expect(await world.call(root, 'POST', `${client.at}/reject`)).toMatchObject({ body: { changed: false } });
  const asOf = (await world.call(root, 'GET', client.at)).body['reviewPosition'];
  for (const changed of [true, false])
    expect(await world.call(root, 'POST', `${client.at}/approve`, { asOf })).toMatchObject({ body: { changed } });
  expect(await tokenStatus(client.id, client.secret)).toBe(200);
  expect(await world.call(root, 'POST', `${client.at}/reject`)).toMatchObject({ status: 409, body: { code: 'already_approved' } });
});

test('a disabled client is refused until it is enabled, a deleted one for good, and its id is never given again', async () => {
  const client = await register({ ...worker, clientId: 'the-machine' });
  for (const changed of [true, false]) expect(await world.call(root, 'POST', `${client.at}/disable`)).toMatchObject({ body: { changed } });
  expect(await tokenStatus(client.id, client.secret)).toBe(401);
  for (const changed of [true, false]) expect(await world.call(root, 'POST', `${client.at}/enable`)).toMatchObject({ body: { changed } });
  expect(await tokenStatus(client.id, client.secret)).toBe(200);
  expect(await world.call(root, 'POST', clients, { ...worker, clientId: 'the-machine' })).toMatchObject({
    status: 409,
    body: { code: 'client_exists' },
  });
  for (const changed of [true, false])
    expect(await world.call(root, 'DELETE', client.at)).toMatchObject({ status: 200, body: { changed } });
  expect(await tokenStatus(client.id, client.secret)).toBe(401);
  for (const answer of [
    await world.call(root, 'GET', client.at),
    await world.call(root, 'PATCH', client.at, { name: 'Again' }),
    await world.call(root, 'POST', `${client.at}/secret`),
    await world.call(root, 'POST', clients, { ...worker, clientId: 'the-machine' }),
  ]) {
    expect(answer).toMatchObject({ status: 409, body: { code: 'client_deleted' } });
  }
});

test('revoking the grants of a client ends its tokens', async () => {
  const client = await world.machine([], { platform: world.arlo });
  const grant = await world.grant({
    platform: world.arlo,
    client: client.stream,
    clientId: client.clientId,
    account: null,
    scopes: ['read'],
  });
  expect(await world.call(root, 'POST', `${clients}/${client.clientId}/revoke-grants`)).toMatchObject({ body: { changed: true } });
  expect((await world.call(root, 'GET', `/arlo/manage/grants/${grant.id}`)).body['standing']).toBe('revoked_with_client');
});

test.each([
  ['unknown_scope', 422, { ...web, scopes: ['fly'] }],
  ['unknown_role', 422, { ...web, roles: ['emperor'] }],
  ['unknown_role', 422, { ...web, roles: ['operator:along'] }],
  ['unknown_resource', 422, { ...web, serves: ['https://arlo.example/apj'] }],
  ['auth_method_not_allowed', 422, { ...web, authMethods: ['none'] }],
  ['auth_method_missing', 422, { ...web, authMethods: [] }],
  ['grant_type_missing', 422, { ...web, grantTypes: [] }],
  ['grant_type_not_allowed', 422, { kind: 'public', name: 'An app', grantTypes: ['client_credentials'] }],
  ['redirect_uri_missing', 422, { ...web, redirectUris: [] }],
])('a registration is refused with %s', async (code, status, body) => {
  expect(await world.call(root, 'POST', clients, body)).toMatchObject({ status, body: { code, type: `urn:grantlog:problem:${code}` } });
});

test('what another platform has is 404 here, whatever is asked of it', async () => {
  const client = await register({ ...worker, clientId: 'only-on-arlo' });
  const elsewhere = `/along/manage/clients/${client.id}`;
  const before = await world.head(world.along);
  for (const [method, path, body] of [
    ['GET', '', undefined],
    ['PATCH', '', { name: 'Mine' }],
    ['DELETE', '', undefined],
    ['POST', '/secret', {}],
    ['POST', '/approve', { asOf: 1 }],
    ['POST', '/reject', {}],
    ['POST', '/disable', {}],
    ['POST', '/enable', undefined],
    ['POST', '/revoke-grants', {}],
  ] as const) {
    expect([path, await world.call(root, method, elsewhere + path, body)]).toMatchObject([
      path,
      { status: 404, body: { code: 'unknown_client' } },
    ]);
  }
  expect(await world.head(world.along)).toBe(before);
  expect(await tokenStatus(client.id, client.secret)).toBe(200);
});

test('ten registrations of one id at once leave one client', async () => {
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => world.call(root, 'POST', clients, { ...worker, clientId: 'contested' })),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 9 }, () => 409)]);
});

describe('the list of clients', () => {
  /** Runs the list's projection as the worker does, until it has nothing left to do. */
  const project = async (generation = 1): Promise<void> => {
    const pool = createPool({ connectionString: world.databaseUrl, role: 'grantlog_worker', max: 2 });
    try {
      await transaction(pool, (client) => ensureGenerations(client, clientList));
      const subscription = subscriptionOf(clientList, generation);
      await ensureSubscriptions(pool, [subscription.name]);
      for (;;) {
        const outcome = await consumeOnce(pool, [subscription]);
        if (outcome.kind === 'failed') throw outcome.error;
        if (outcome.kind === 'idle') return;
      }
    } finally {
      await pool.end();
    }
  };
  const listed = async (query: string, platform = 'filtered'): Promise<readonly string[]> => {
    const { body, status } = await world.call(root, 'GET', `/${platform}/manage/clients${query}`);
    expect([query, status]).toEqual([query, 200]);
    return (body['clients'] as readonly { readonly name: string }[]).map(({ name }) => name);
  };

  test('is filtered and paged, newest first, without the deleted ones, and waits for a position', async () => {
    await world.call(root, 'PUT', '/system/manage/platforms/filtered', tenantJson('filtered'));
    const at = '/filtered/manage/clients';
    for (const [name, more] of [
      ['first', {}],
      ['second', { approval: 'pending' }],
      ['third', { approval: 'pending' }],
      ['fourth', {}],
      ['fifth', {}],
    ] as const)
      await world.call(root, 'POST', at, { ...web, name, clientId: name, ...more });
    await world.call(root, 'POST', `${at}/third/reject`, { reason: 'misleading_name' });
    await world.call(root, 'POST', `${at}/fourth/disable`, {});
    const last = await world.call(root, 'DELETE', `${at}/fifth`);
    await project();
    expect(await listed(`?minPosition=${last.body['position']}`)).toEqual(['fourth', 'third', 'second', 'first']);
    expect(await listed('?approval=pending')).toEqual(['second']);
    expect(await listed('?waiting=true')).toEqual(['second']);
    expect(await listed('?approval=rejected')).toEqual(['third']);
    expect(await listed('?status=disabled')).toEqual(['fourth']);
    expect(await listed('?status=deleted')).toEqual(['fifth']);
    expect(await listed('?owner=00000000-0003-8000-8000-000000000001')).toEqual([]);
    expect(await listed('?owner=nobody')).toEqual([]);
    const page = await world.call(root, 'GET', `${at}?limit=3`);
    expect(await listed(`?limit=3&before=${page.body['next']}`)).toEqual(['first']);
    expect((await world.call(root, 'GET', `${at}?minPosition=${Number(last.body['position']) + 100}`)).body['current']).toBe(false);
    expect((await world.call(root, 'GET', `${at}?fly=1`)).status).toBe(400);
  });

  test('shows nothing of another platform, and is built anew beside the rows that are read', async () => {
    await world.call(root, 'POST', '/along/manage/clients', { ...web, name: 'elsewhere', clientId: 'elsewhere' });
    await project();
    const before = await world.call(root, 'GET', '/filtered/manage/clients');
    expect(await listed('')).not.toContain('elsewhere');
    expect(await listed('', 'along')).toEqual(['elsewhere']);
    const pool = createPool({ connectionString: world.databaseUrl, role: 'grantlog_worker', max: 1 });
    await requestRebuild(pool, clientList);
    await pool.end();
    await project(2);
    expect((await world.call(root, 'GET', '/filtered/manage/clients')).body).toEqual(before.body);
    const { rows } = await world.deps.pool.query(
      `select live_generation as live from projection where name = 'client-list' and platform = 'filtered'`,
    );
    expect(rows).toEqual([{ live: 2 }]);
  });
});
