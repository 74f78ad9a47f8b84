import type { PlatformId } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createDeveloperWorld, type DeveloperWorld, type TestDeveloper, webApp } from './support.ts';

let world: DeveloperWorld;
let shop: PlatformId;
let dev: TestDeveloper;
let stranger: TestDeveloper;
beforeAll(async () => {
  world = await createDeveloperWorld(inject('databaseUrl'));
  shop = await world.open('shop');
  dev = await world.developer(shop);
  stranger = await world.developer(shop);
});
afterAll(() => world.close());

const manage = (id: string, verb = '', body?: object, method: 'GET' | 'POST' = 'POST') =>
  world.call(world.root, method, `/shop/manage/clients/${id}${verb}`, body);
const register = async (developer = dev, more: object = {}) => {
  const { status, body, text } = await developer.ask('POST', '', { ...webApp, ...more });
  if (status !== 201) throw new Error(text);
  return { id: String(body['clientId']), at: `/${body['clientId']}`, secret: String(body['clientSecret']), body };
};
/** What clients are asked at their endpoints: the status and what the answer says. */
const oauth = async (path: string, client: { readonly id: string; readonly secret: string }, form: Readonly<Record<string, string>>) => {
  const response = await world.app.inject({
    method: 'POST',
    url: `/shop${path}`,
    headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: `Basic ${btoa(`${client.id}:${client.secret}`)}` },
    payload: new URLSearchParams(form).toString(),
  });
  return { status: response.statusCode, body: response.body === '' ? {} : (response.json() as Record<string, unknown>) };
};
const withRoom = async (): Promise<TestDeveloper> => world.developer(shop);

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
    ['ways to authenticate', { authMethods: ['none'] }],
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
        await manage(ids[count - 4] ?? '', '/approve');
        await world.project();
      }
    }
    for (const id of ids) await manage(id, '/approve');
    await world.project();
    expect(await developer.ask('POST', '', webApp)).toMatchObject({ status: 409, body: { code: 'too_many_clients' } });
    await developer.ask('DELETE', `/${ids[0]}`);
    await world.project();
    expect((await developer.ask('POST', '', webApp)).status).toBe(201);
  });

  test('rotates the secret of a client with an overlap and without one', async () => {
    const developer = await withRoom();
    const client = await register(developer);
    await manage(client.id, '/approve');
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
    await manage(client.id, '/approve');
    expect(await developer.ask('DELETE', client.at)).toMatchObject({ status: 200, body: { changed: true } });
    for (const method of ['GET', 'DELETE'] as const)
      expect(await developer.ask(method, client.at)).toMatchObject({ status: 404, body: { code: 'unknown_client' } });
    expect((await oauth('/oauth/token', client, { grant_type: 'refresh_token', refresh_token: 'x' })).status).toBe(401);
  });
});

describe('where clients are registered', () => {
  test('without approval a client works at once, with both policies approval wins, with neither nobody registers', async () => {
    const free = await world.developer(await world.open('free', { registration: { policy: ['open'] } }));
    expect((await free.ask('POST', '', webApp)).body).toMatchObject({ approval: 'approved' });
    const both = await world.developer(await world.open('both', { registration: { policy: ['open', 'approval'] } }));
    expect((await both.ask('POST', '', webApp)).body).toMatchObject({ approval: 'pending' });
    const closed = await world.developer(await world.open('closed', { registration: { policy: ['preset', 'metadata_document'] } }));
    expect(await closed.ask('POST', '', webApp)).toMatchObject({
      status: 403,
      body: { code: 'registration_closed', detail: expect.stringContaining('operator') },
    });
  });

  test('a change of an approved client is done at once where nobody approves', async () => {
    const free = await world.developer(await world.open('freer', { registration: { policy: ['open'] } }));
    const { body } = await free.ask('POST', '', webApp);
    expect(await free.ask('PATCH', `/${body['clientId']}`, { name: 'Renamed' })).toMatchObject({
      body: { changed: true, client: { name: 'Renamed', proposal: null } },
    });
  });

  test('a platform of https alone takes no other scheme, also from an app, and loopback only by its own switch', async () => {
    const strict = await world.developer(await world.open('strict', { switches: { basicForExploration: true, httpsRedirectsOnly: true } }));
    const app = (uri: string) => strict.ask('POST', '', { ...webApp, kind: 'public', redirectUris: [uri] });
    for (const uri of ['com.example.app:/cb', 'http://127.0.0.1/cb', 'http://[::1]/cb', 'http://app.example/cb', '/cb'])
      expect(await app(uri)).toMatchObject({ status: 400, body: { errors: [{ path: 'redirectUris[0]' }] } });
    expect((await app('https://app.example/cb')).status).toBe(201);
    const local = await world.developer(
      await world.open('strictlocal', { switches: { basicForExploration: true, httpsRedirectsOnly: true, httpLoopbackRedirects: true } }),
    );
    expect((await local.ask('POST', '', { ...webApp, redirectUris: ['http://localhost/cb'] })).status).toBe(201);
    expect((await local.ask('POST', '', { ...webApp, kind: 'public', redirectUris: ['com.example.app:/cb'] })).status).toBe(400);
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

describe('until it is approved', () => {
  test.each(['pending', 'rejected'] as const)(
    'a %s client is told so plainly by every endpoint, after its secret was proved',
    async (approval) => {
      const client = await register(await withRoom());
      if (approval === 'rejected') await manage(client.id, '/reject', { reason: 'misleading_name' });
      const words = approval === 'pending' ? /waiting for the approval/ : /refused/;
      for (const path of ['/oauth/token', '/oauth/revoke', '/oauth/introspect']) {
        const form = { grant_type: 'refresh_token', refresh_token: 'x', token: 'x' };
        expect([path, await oauth(path, client, form)]).toMatchObject([
          path,
          { status: 400, body: { error: 'unauthorized_client', error_description: expect.stringMatching(words) } },
        ]);
        expect([path, await oauth(path, { ...client, secret: 'wrong' }, form)]).toMatchObject([
          path,
          { status: 401, body: { error: 'invalid_client' } },
        ]);
      }
      const page = await world.app.inject(
        `/shop/oauth/authorize?${new URLSearchParams({ client_id: client.id, response_type: 'code', redirect_uri: 'https://app.example/cb' })}`,
      );
      expect(page.statusCode).toBe(400);
      expect(page.headers['content-type']).toContain('text/html');
      expect(page.headers.location).toBeUndefined();
      expect(page.body).toMatch(words);
    },
  );

  test('the paths under /oauth/connect say the same', async () => {
    const platform = await world.open('connected', { switches: { basicForExploration: true, connectPaths: true } });
    const developer = await world.developer(platform);
    const { body } = await developer.ask('POST', '', webApp);
    const authorization = `Basic ${btoa(`${body['clientId']}:${body['clientSecret']}`)}`;
    for (const path of ['token', 'revocation']) {
      const response = await world.app.inject({
        method: 'POST',
        url: `/connected/oauth/connect/${path}`,
        headers: { 'content-type': 'application/x-www-form-urlencoded', authorization },
        payload: 'grant_type=refresh_token&refresh_token=x&token=x',
      });
      expect([path, response.statusCode, response.json()]).toEqual([
        path,
        400,
        { error: 'unauthorized_client', error_description: expect.stringMatching(/waiting for the approval/) },
      ]);
    }
    const page = await world.app.inject(`/connected/oauth/connect/authorize?client_id=${body['clientId']}&response_type=code`);
    expect([page.statusCode, page.body]).toEqual([400, expect.stringMatching(/waiting for the approval/)]);
  });

  test('a client works once an operator has approved it', async () => {
    const client = await register(await withRoom());
    expect(await manage(client.id, '/approve')).toMatchObject({ status: 200, body: { changed: true } });
    expect((await oauth('/oauth/introspect', client, { token: 'x' })).body).toEqual({ active: false });
    const page = await world.app.inject(
      `/shop/oauth/authorize?${new URLSearchParams({
        client_id: client.id,
        response_type: 'code',
        redirect_uri: 'https://app.example/cb',
        scope: 'read',
        code_challenge: 'x'.repeat(43),
        code_challenge_method: 'S256',
      })}`,
    );
    expect(page.statusCode).toBe(200);
  });

  test('a refused client that its developer changes waits again', async () => {
    const developer = await withRoom();
    const client = await register(developer);
    await manage(client.id, '/reject', { reason: 'misleading_name' });
    expect((await developer.ask('GET', client.at)).body).toMatchObject({ approval: 'rejected', rejection: 'misleading_name' });
    expect(await developer.ask('PATCH', client.at, { name: 'An honest name' })).toMatchObject({
      body: { changed: true, client: { approval: 'pending', rejection: null, name: 'An honest name' } },
    });
  });
});
