import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createWorld, tenantJson, type World } from './support/world.ts';

let world: World;
let root: string;
let local: string;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  root = await world.operator('operator');
  local = await world.operator('operator:arlo', 'operator:newcomer');
});
afterAll(() => world.close());

const at = (name: string, verb = ''): string => `/system/manage/platforms/${name}${verb}`;

test('a platform is created, read back with its defaults, changed, and left alone by the same document again', async () => {
  const created = await world.call(root, 'PUT', at('fresh'), tenantJson('fresh'));
  expect(created.status).toBe(201);
  expect(created.body).toEqual({ changed: true, position: await world.head('fresh' as never) });
  const read = await world.call(root, 'GET', at('fresh'));
  expect(read.body).toMatchObject({
    name: 'fresh',
    status: 'active',
    issuer: 'http://localhost:4000/fresh',
    document: { pkce: 'required' },
  });
  const again = await world.call(root, 'PUT', at('fresh'), tenantJson('fresh'));
  expect(again).toMatchObject({ status: 200, body: { changed: false, position: created.body['position'] } });
  const other = await world.call(root, 'PUT', at('fresh'), tenantJson('fresh', { displayName: 'Renamed' }));
  expect(other).toMatchObject({ status: 200, body: { changed: true, position: Number(created.body['position']) + 1 } });
  // What is read can be put again as it is.
  const { document } = (await world.call(root, 'GET', at('fresh'))).body;
  expect(await world.call(root, 'PUT', at('fresh'), document)).toMatchObject({ status: 200, body: { changed: false } });
});

test('a document tells everything that is wrong with it at once, each with its place and what to do', async () => {
  const broken = { ...tenantJson('broken'), scopes: [{ name: 'two words', description: '' }], pkce: 'never', surprise: 1 };
  const answer = await world.call(root, 'PUT', at('broken'), broken);
  expect(answer.status).toBe(400);
  const errors = answer.body['errors'] as readonly { readonly path: string; readonly problem: string; readonly fix: string }[];
  expect(errors.map((error) => error.path)).toEqual(
    expect.arrayContaining(['scopes[0].name', 'scopes[0].description', 'pkce', 'surprise']),
  );
  for (const error of errors) expect(error.fix).not.toBe('');
  expect((await world.call(root, 'GET', at('broken'))).status).toBe(404);
});

test('a document of another name is refused, and so is one that is not an object', async () => {
  expect(await world.call(root, 'PUT', at('arlo'), tenantJson('along'))).toMatchObject({
    status: 400,
    body: { errors: [{ path: 'name' }] },
  });
  expect((await world.call(root, 'PUT', at('arlo'), [])).status).toBe(400);
  expect((await world.call(root, 'PUT', at('UPPER'), tenantJson('arlo'))).status).toBe(404);
});

test('a document may be larger than other bodies', async () => {
  const scopes = Array.from({ length: 60 }, (_, index) => ({ name: `scope${index}`, description: 'long '.repeat(99) }));
  const presetClients = Array.from({ length: 60 }, (_, index) => ({
    clientId: `preset${index}`,
    name: 'Preset',
    redirectUris: [`https://client${index}.example/${'x'.repeat(900)}`],
  }));
  expect((await world.call(root, 'PUT', at('large'), { ...tenantJson('large', { resources: [] }), scopes, presetClients })).status).toBe(
    201,
  );
});

test("a platform's own operator changes its document, but not where it lives", async () => {
  const document = tenantJson('arlo', { webhooks: { allowLoopback: true }, displayName: 'Arlo by its own' });
  expect(await world.call(local, 'PUT', at('arlo'), document)).toMatchObject({ status: 200, body: { changed: true } });
  const moved = { ...document, issuer: 'https://along.example', hosts: ['along.example'] };
  expect(await world.call(local, 'PUT', at('arlo'), moved)).toMatchObject({ status: 403, body: { role: 'operator' } });
  expect(await world.call(local, 'PUT', at('arlo'), { ...document, hosts: ['along.example'] })).toMatchObject({ status: 403 });
  expect(await world.call(local, 'PUT', at('along'), tenantJson('along'))).toMatchObject({ status: 403, body: { role: 'operator:along' } });
  expect((await world.call(local, 'PUT', at('newcomer'), tenantJson('newcomer'))).status).toBe(201);
  expect((await world.call(root, 'PUT', at('arlo'), { ...moved, issuer: 'https://arlo.example', hosts: ['arlo.example'] })).status).toBe(
    200,
  );
});

test("a platform's own operator says nothing about which addresses this server itself asks", async () => {
  const served = (...upstreams: readonly (string | null)[]) => ({
    ...tenantJson('newcomer'),
    resources: upstreams.map((upstream, index) => ({
      uri: `http://localhost:4000/newcomer/api${index}`,
      name: 'API',
      scopes: ['read'],
      upstream,
    })),
  });
  const put = (token: string, document: object) => world.call(token, 'PUT', at('newcomer'), document);
  await put(local, served(null));
  for (const inside of ['http://169.254.169.254/latest', 'http://127.0.0.1:4001/metrics'])
    expect(await put(local, served(inside))).toMatchObject({ status: 403, body: { role: 'operator' } });
  expect((await put(root, served('http://api.internal'))).status).toBe(200);
  // What the installation's operator has set may stand, and may go.
  expect((await put(local, { ...served('http://api.internal'), displayName: 'Renamed' })).status).toBe(200);
  expect(await put(local, served('http://api.internal/admin'))).toMatchObject({ status: 403, body: { role: 'operator' } });
  expect(await put(local, served('http://api.internal', 'http://127.0.0.1:5432'))).toMatchObject({ status: 403 });
  expect((await put(local, served(null))).status).toBe(200);
  expect(await put(local, served('http://api.internal'))).toMatchObject({ status: 403 });
});

test('the list shows each operator what is theirs', async () => {
  const names = async (token: string) =>
    ((await world.call(token, 'GET', '/system/manage/platforms')).body['platforms'] as readonly { readonly name: string }[]).map(
      ({ name }) => name,
    );
  expect(await names(root)).toEqual(expect.arrayContaining(['along', 'arlo', 'system']));
  expect(await names(local)).toEqual(['arlo', 'newcomer']);
  expect(await world.call(await world.operator('auditor'), 'GET', '/system/manage/platforms')).toMatchObject({ status: 403 });
});

test('a suspended platform issues nothing until it is resumed, and asking twice changes nothing', async () => {
  const machine = await world.machine([], { platform: world.along });
  expect(await machine.token({})).not.toBe('');
  const suspended = await world.call(root, 'POST', at('along', '/suspend'), { reason: 'abuse' });
  expect(suspended).toMatchObject({ status: 200, body: { changed: true } });
  expect(await world.call(root, 'POST', at('along', '/suspend'))).toMatchObject({
    status: 200,
    body: { changed: false, position: suspended.body['position'] },
  });
  expect((await world.call(root, 'GET', at('along'))).body).toMatchObject({ status: 'suspended', reason: 'abuse' });
  await expect(machine.token({})).rejects.toThrow();
  expect(await world.call(root, 'POST', at('along', '/resume'))).toMatchObject({ status: 200, body: { changed: true } });
  expect(await world.call(root, 'POST', at('along', '/resume'))).toMatchObject({ status: 200, body: { changed: false } });
  expect(await machine.token({})).not.toBe('');
});

test('the system platform is not suspended by those who would then be locked out', async () => {
  expect(await world.call(root, 'POST', at('system', '/suspend'))).toMatchObject({ status: 409, body: { code: 'system_platform_needed' } });
});

test('revoking the grants of a platform ends those that stand', async () => {
  const client = await world.machine([], { platform: world.arlo });
  const grant = await world.grant({
    platform: world.arlo,
    client: client.stream,
    clientId: client.clientId,
    account: null,
    scopes: ['read'],
  });
  const standing = async () => (await world.call(root, 'GET', `/arlo/manage/grants/${grant.id}`)).body['standing'];
  expect(await standing()).toBe('good');
  const first = await world.call(root, 'POST', at('arlo', '/revoke-grants'));
  expect(first).toMatchObject({ status: 200, body: { changed: true } });
  expect(await standing()).toBe('revoked_with_platform');
  // Again is again: what began in between ends too.
  expect(await world.call(root, 'POST', at('arlo', '/revoke-grants'))).toMatchObject({
    body: { changed: true, position: Number(first.body['position']) + 1 },
  });
});

test('what is asked of a platform that is not there is 404, and a reason that could name a person is refused', async () => {
  for (const verb of ['/suspend', '/resume', '/revoke-grants']) {
    expect(await world.call(root, 'POST', at('nowhere', verb))).toMatchObject({ status: 404, body: { code: 'unknown_platform' } });
  }
  expect(await world.call(root, 'POST', at('arlo', '/suspend'), { reason: 'Jane Doe asked' })).toMatchObject({ status: 400 });
});
