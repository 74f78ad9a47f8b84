import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openShop, type Shop } from './shop.ts';
import { webApp } from './support.ts';

let world: Shop['world'];
let withRoom: Shop['withRoom'];
let manage: Shop['manage'];
let approve: Shop['approve'];
let register: Shop['register'];
let oauth: Shop['oauth'];
beforeAll(async () => {
  ({ world, withRoom, manage, approve, register, oauth } = await openShop(inject('databaseUrl')));
});
afterAll(() => world.close());

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
    expect(await approve(client.id)).toMatchObject({ status: 200, body: { changed: true } });
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
