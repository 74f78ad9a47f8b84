import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createWorld, type World } from './support/world.ts';

let world: World;
let root: string;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  root = await world.operator('operator');
});
afterAll(() => world.close());

const accounts = '/arlo/manage/accounts';
let number = 0;
const register = async (more: object = {}): Promise<{ readonly at: string; readonly id: string; readonly email: string }> => {
  number += 1;
  const email = `person${number}@example.com`;
  const { status, body, headers } = await world.call(root, 'POST', accounts, {
    email,
    name: 'Ada Lovelace',
    password: 'a long password',
    ...more,
  });
  expect(status).toBe(201);
  expect(body['position']).toBe(await world.head(world.arlo));
  expect(headers['location']).toBe(`${accounts}/${body['accountId']}`);
  return { at: `${accounts}/${body['accountId']}`, id: String(body['accountId']), email };
};

test('an account is registered and read back with its personal data and without its password', async () => {
  const account = await register({ roles: ['member'] });
  const read = await world.call(root, 'GET', account.at);
  expect(read.body).toMatchObject({
    accountId: account.id,
    status: 'active',
    personal: { email: account.email, name: 'Ada Lovelace' },
    roles: ['member'],
    hasPassword: true,
  });
  expect(read.headers['cache-control']).toBe('no-store');
});

test('neither password nor personal data stands in an event', async () => {
  const account = await register({ password: 'unmistakable-password' });
  await world.call(root, 'PUT', `${account.at}/password`, { password: 'unmistakable-too' });
  const everything = await world.everything();
  for (const text of ['unmistakable', account.email, 'Lovelace', '$argon2']) expect(everything).not.toContain(text);
});

test('an email is taken whatever its case, and free again once its account is erased', async () => {
  const account = await register();
  const again = { email: ` ${account.email.toUpperCase()}`, name: 'Another', password: 'a long password' };
  expect(await world.call(root, 'POST', accounts, again)).toMatchObject({ status: 409, body: { code: 'name_taken' } });
  const erased = await world.call(root, 'DELETE', account.at);
  expect(erased).toMatchObject({ status: 200, body: { changed: true, position: await world.head(world.arlo) } });
  expect(await world.call(root, 'POST', accounts, again)).toMatchObject({ status: 201 });
  // The former holder's second erasure does not release what is another's by now.
  expect(await world.call(root, 'DELETE', account.at)).toMatchObject({ status: 200, body: { changed: false } });
  expect(await world.call(root, 'POST', accounts, again)).toMatchObject({ status: 409 });
});

test('what was erased reads as erased and takes no further change', async () => {
  const account = await register();
  await world.call(root, 'DELETE', account.at);
  const read = await world.call(root, 'GET', account.at);
  expect(read.body).toMatchObject({ status: 'erased', personal: 'erased', roles: [], hasPassword: false });
  expect(read.text).not.toContain('Lovelace');
  for (const [method, path, body] of [
    ['POST', '/disable', {}],
    ['POST', '/enable', undefined],
    ['POST', '/revoke-grants', {}],
    ['PUT', '/roles', { roles: [] }],
    ['PUT', '/password', { password: 'a long password' }],
  ] as const) {
    expect([path, await world.call(root, method, account.at + path, body)]).toMatchObject([
      path,
      { status: 409, body: { code: 'account_erased' } },
    ]);
  }
});

test('roles are assigned all at once, once, and only those that the platform has', async () => {
  const account = await register();
  for (const changed of [true, false]) {
    expect(await world.call(root, 'PUT', `${account.at}/roles`, { roles: ['member'] })).toMatchObject({ status: 200, body: { changed } });
  }
  for (const role of ['emperor', 'operator:along']) {
    expect(await world.call(root, 'PUT', `${account.at}/roles`, { roles: [role] })).toMatchObject({
      status: 422,
      body: { code: 'unknown_role' },
    });
  }
  expect(await world.call(root, 'PUT', `${account.at}/roles`, { roles: [] })).toMatchObject({ body: { changed: true } });
  expect((await world.call(root, 'GET', account.at)).body['roles']).toEqual([]);
});

test('on the system platform a role may be narrowed to any other platform, there or not yet', async () => {
  const { id } = await world.account('system' as never);
  const assign = (role: string) => world.call(root, 'PUT', `/system/manage/accounts/${id}/roles`, { roles: [role] });
  for (const role of ['operator', 'operator:arlo', 'operator:not-yet', 'auditor:arlo']) expect((await assign(role)).status).toBe(200);
  for (const role of ['operator:system', 'operator:UPPER', 'operator:', 'operator:a:b', 'emperor:arlo', ':arlo']) {
    expect([role, await assign(role)]).toMatchObject([role, { status: 422, body: { code: 'unknown_role' } }]);
  }
});

test('disabling and enabling, again and again, changes what there is to change', async () => {
  const account = await register();
  for (const changed of [true, false])
    expect(await world.call(root, 'POST', `${account.at}/disable`, { reason: 'inactive' })).toMatchObject({ body: { changed } });
  expect((await world.call(root, 'GET', account.at)).body).toMatchObject({ status: 'disabled', reason: 'inactive' });
  for (const changed of [true, false]) expect(await world.call(root, 'POST', `${account.at}/enable`)).toMatchObject({ body: { changed } });
});

test('revoking the grants of an account ends them', async () => {
  const account = await register();
  const client = await world.machine([], { platform: world.arlo });
  const grant = await world.grant({
    platform: world.arlo,
    client: client.stream,
    clientId: client.clientId,
    account: account.id as never,
    scopes: ['read'],
  });
  await world.call(root, 'POST', `${account.at}/revoke-grants`);
  expect((await world.call(root, 'GET', `/arlo/manage/grants/${grant.id}`)).body['standing']).toBe('revoked_with_account');
});

test.each([
  [422, 'unacceptable_email', { email: 'nobody', name: 'A', password: 'a long password' }],
  [422, 'unacceptable_email', { email: 'two@at@example.com', name: 'A', password: 'a long password' }],
  [422, 'unknown_role', { email: 'x@example.com', name: 'A', password: 'a long password', roles: ['emperor'] }],
  [422, 'unacceptable_password', { email: 'x@example.com', name: 'A', password: 'é'.repeat(600) }],
  [400, 'invalid_request', { email: 'x@example.com', name: 'A', password: 'short' }],
  [400, 'invalid_request', { email: 'x@example.com', password: 'a long password' }],
])('a registration is refused with %i %s', async (status, code, body) => {
  expect(await world.call(root, 'POST', accounts, body)).toMatchObject({ status, body: { code } });
});

test('what another platform has, what is of another kind and what is no id is 404, whatever is asked of it', async () => {
  const account = await register();
  const client = await world.machine([], { platform: world.arlo });
  for (const at of [
    `/along/manage/accounts/${account.id}`,
    `${accounts}/${client.stream}`,
    `${accounts}/nonsense`,
    `${accounts}/00000000-0001-8000-8000-000000000000`,
  ]) {
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['DELETE', '', undefined],
      ['PUT', '/password', { password: 'a long password' }],
      ['PUT', '/roles', { roles: [] }],
      ['POST', '/disable', {}],
      ['POST', '/enable', undefined],
      ['POST', '/revoke-grants', {}],
    ] as const) {
      expect([at, path, await world.call(root, method, at + path, body)]).toMatchObject([
        at,
        path,
        { status: 404, body: { code: 'unknown_account' } },
      ]);
    }
  }
});
