import { extraDefaults } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openShop, type Shop } from './shop.ts';
import { type TestDeveloper, webApp } from './support.ts';

let world: Shop['world'];
let shop: Shop['shop'];
let withRoom: Shop['withRoom'];
let manage: Shop['manage'];
let approve: Shop['approve'];
let register: Shop['register'];
let oauth: Shop['oauth'];
let dev: TestDeveloper;
let stranger: TestDeveloper;
beforeAll(async () => {
  ({ world, shop, withRoom, manage, approve, register, oauth } = await openShop(inject('databaseUrl')));
  [dev, stranger] = [await withRoom(), await withRoom()];
});
afterAll(() => world.close());

describe('a developer', () => {
  test('registers a client that waits for approval, and is shown its secret once', async () => {
    const developer = await withRoom();
    const { status, body, headers } = await developer.ask('POST', '', webApp);
    expect(status).toBe(201);
    expect(body).toMatchObject({ clientSecret: expect.stringMatching(/^.{43}$/), approval: 'pending', position: await world.head(shop) });
    expect(headers['location']).toBe(`/shop/developer/clients/${body['clientId']}`);
    expect(headers['cache-control']).toBe('no-store');
    const read = await developer.ask('GET', `/${body['clientId']}`);
    expect(read.body).toEqual({
      ...extraDefaults,
      clientId: body['clientId'],
      kind: 'confidential',
      status: 'active',
      reason: null,
      approval: 'pending',
      proposal: null,
      rejection: null,
      name: 'My app',
      redirectUris: ['https://app.example/cb'],
      grantTypes: ['authorization_code', 'refresh_token'],
      // All of the platform's but the one that would open the developer's own apps.
      scopes: ['openid', 'read', 'write'],
      authMethods: ['client_secret_basic', 'client_secret_post'],
      secrets: 1,
    });
    expect(read.text + (await world.everything())).not.toContain(String(body['clientSecret']));
    expect((await manage(String(body['clientId']), '', undefined, 'GET')).body).toMatchObject({ owner: developer.id, approval: 'pending' });
  });

  test('registers a public client without a secret', async () => {
    const { body } = await dev.ask('POST', '', { ...webApp, kind: 'public', redirectUris: ['http://127.0.0.1/cb'] });
    expect(body).toMatchObject({ clientSecret: null, approval: 'pending' });
  });

  test.each([
    ['a role', { roles: ['member'] }],
    ['a resource that it serves', { serves: ['https://shop.example/api'] }],
    ['its own approval', { approval: 'approved' }],
    ['its id', { clientId: 'shop-official' }],
    ['an owner', { owner: '00000000-0003-8000-8000-000000000001' }],
    ['how it came to be', { how: 'preset' }],
    ['all scopes there will ever be', { scopes: null }],
  ])('cannot give a client %s, at registration or later', async (_, member) => {
    const before = await world.head(shop);
    expect(await dev.ask('POST', '', { ...webApp, ...member })).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(await dev.ask('PATCH', '/any', member)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(await world.head(shop)).toBe(before);
  });

  test.each([
    ['a scope that the platform does not have', 422, { scopes: ['fly'] }],
    ['a grant type that the platform does not use', 400, { grantTypes: ['authorization_code', 'client_credentials'] }],
    ['no redirect URI', 422, { redirectUris: [] }],
    ['a way to authenticate that is not for its kind', 422, { authMethods: ['none'] }],
    ['keys to authenticate by, and none of them', 422, { authMethods: ['private_key_jwt'] }],
    ['a redirect URI that runs code', 400, { redirectUris: ['javascript:alert(1)'] }],
    ['http on loopback for a server', 400, { redirectUris: ['http://localhost/cb'] }],
  ])('is refused %s', async (_, status, member) => {
    expect((await dev.ask('POST', '', { ...webApp, ...member })).status).toBe(status);
  });

  test('may ask for client credentials where the platform has them', async () => {
    const platform = await world.open('machines', { grantTypes: ['authorization_code', 'client_credentials'] });
    const developer = await world.developer(platform);
    expect((await developer.ask('POST', '', { ...webApp, grantTypes: ['client_credentials'], redirectUris: [] })).status).toBe(201);
    const usual = await developer.ask('POST', '', webApp);
    expect((await developer.ask('GET', `/${usual.body['clientId']}`)).body['grantTypes']).toEqual(['authorization_code']);
  });

  test('lists their own clients alone, newest first, and sees what they have just registered', async () => {
    const developer = await withRoom();
    const ids = [(await register(developer)).id, (await register(developer)).id];
    await register(stranger);
    await world.project();
    const page = await developer.ask('GET', `?minPosition=${await world.head(shop)}`);
    expect(page).toMatchObject({ status: 200, body: { current: true, next: null } });
    const listed = page.body['clients'] as readonly { readonly clientId: string }[];
    expect(listed.map(({ clientId }) => clientId)).toEqual(ids.toReversed());
    expect(listed[0]).toMatchObject({ name: 'My app', status: 'active', approval: 'pending', hasProposal: false });
    const first = await developer.ask('GET', '?limit=1');
    expect((first.body['clients'] as unknown[]).length).toBe(1);
    expect((await developer.ask('GET', `?limit=1&before=${first.body['next']}`)).body).toMatchObject({ clients: [{ clientId: ids[0] }] });
  });

  test('has at most five clients that wait, and twenty in all', async () => {
    const developer = await withRoom();
    const ids: string[] = [];
    for (let count = 0; count < 20; count += 1) {
      ids.push((await register(developer)).id);
      await world.project();
      if (count === 4) {
        expect(await developer.ask('POST', '', webApp)).toMatchObject({ status: 409, body: { code: 'too_many_pending' } });
      }
      if (count >= 4) {
        await approve(ids[count - 4] ?? '');
        await world.project();
      }
    }
    for (const id of ids) await approve(id);
    await world.project();
    expect(await developer.ask('POST', '', webApp)).toMatchObject({ status: 409, body: { code: 'too_many_clients' } });
    await developer.ask('DELETE', `/${ids[0]}`);
    await world.project();
    expect((await developer.ask('POST', '', webApp)).status).toBe(201);
  });

  test('rotates the secret of a client with an overlap and without one', async () => {
    const developer = await withRoom();
    const client = await register(developer);
    await approve(client.id);
    const works = async (secret: string): Promise<boolean> =>
      (await oauth('/oauth/introspect', { id: client.id, secret }, { token: 'x' })).status === 200;
    const second = await developer.ask('POST', `${client.at}/rotate-secret`, { overlapSeconds: 60 });
    const secondSecret = String(second.body['clientSecret']);
    expect(second).toMatchObject({ status: 200, body: { position: await world.head(shop) } });
    expect([await works(client.secret), await works(secondSecret)]).toEqual([true, true]);
    const third = await developer.ask('POST', `${client.at}/rotate-secret`);
    const thirdSecret = String(third.body['clientSecret']);
    expect([await works(client.secret), await works(secondSecret), await works(thirdSecret)]).toEqual([false, false, true]);
    const read = await developer.ask('GET', client.at);
    for (const secret of [secondSecret, thirdSecret]) expect(read.text + (await world.everything())).not.toContain(secret);
  });

  test('deletes a client, after which it is nobody’s', async () => {
    const developer = await withRoom();
    const client = await register(developer);
    await approve(client.id);
    expect(await developer.ask('DELETE', client.at)).toMatchObject({ status: 200, body: { changed: true } });
    for (const method of ['GET', 'DELETE'] as const)
      expect(await developer.ask(method, client.at)).toMatchObject({ status: 404, body: { code: 'unknown_client' } });
    expect((await oauth('/oauth/token', client, { grant_type: 'refresh_token', refresh_token: 'x' })).status).toBe(401);
  });
});

test('what somebody else registered is 404 for everybody else, on this platform and on another', async () => {
  const client = await register(await withRoom());
  const grant = '01890000-0000-7000-8000-000000000001';
  const elsewhere = await world.developer(await world.open('elsewhere'));
  const before = [await world.head(shop), await world.head('elsewhere' as PlatformId)];
  for (const [method, path, body] of [
    ['GET', '', undefined],
    ['PATCH', '', { name: 'Mine' }],
    ['DELETE', '', undefined],
    ['POST', '/rotate-secret', {}],
    ['GET', '/tokens', undefined],
    ['DELETE', '/tokens', undefined],
    ['DELETE', `/tokens/${grant}`, undefined],
  ] as const) {
    for (const [who, developer] of [
      ['another developer', stranger],
      ['another platform', elsewhere],
    ] as const) {
      const answer = await developer.ask(method, client.at + path, body);
      expect([who, method, path, answer.status, answer.body['code']]).toEqual([who, method, path, 404, 'unknown_client']);
    }
  }
  // The exploration of HTTP Basic leaves its own records; nothing of them is about a client.
  const { rows } = await world.deps.pool.query<{ count: number }>(
    `select count(*)::int as count from event where type like 'client.%' and ((platform = 'shop' and position > $1) or (platform = 'elsewhere' and position > $2))`,
    before,
  );
  expect(rows).toEqual([{ count: 0 }]);
  // And an account of one platform is nobody on another.
  expect((await elsewhere.ask('GET', '', undefined, 'shop')).status).toBe(401);
});

test('a client of an operator, and one registered before there were owners, is nobody’s to a developer', async () => {
  const { body } = await world.call(world.root, 'POST', '/shop/manage/clients', { ...webApp });
  expect((await dev.ask('GET', `/${body['clientId']}`)).status).toBe(404);
});
