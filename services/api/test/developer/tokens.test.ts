import type { PlatformId } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createDeveloperWorld, type DeveloperWorld, type TestDeveloper, webApp } from './support.ts';

let world: DeveloperWorld;
let shop: PlatformId;
let dev: TestDeveloper;
let stranger: TestDeveloper;
beforeAll(async () => {
  world = await createDeveloperWorld(inject('databaseUrl'));
  shop = await world.open('shop');
  [dev, stranger] = [await world.developer(shop), await world.developer(shop)];
});
afterAll(() => world.close());

/** An approved client of a developer and two grants of it. */
const scene = async (developer = dev) => {
  const { body } = await developer.ask('POST', '', webApp);
  const clientId = String(body['clientId']);
  await world.approve(shop, clientId);
  const { body: view } = await world.call(world.root, 'GET', `/shop/manage/clients/${clientId}`);
  const client = view['streamId'] as never;
  const make = async () => world.grant({ platform: shop, client, clientId, account: (await world.account(shop)).id, scopes: ['read'] });
  const secret = String(body['clientSecret']);
  const isActive = async (token: string): Promise<unknown> => {
    const response = await world.app.inject({
      method: 'POST',
      url: '/shop/oauth/introspect',
      headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: `Basic ${btoa(`${clientId}:${secret}`)}` },
      payload: new URLSearchParams({ token }).toString(),
    });
    return (response.json() as { readonly active: unknown }).active;
  };
  return { at: `/${clientId}`, clientId, grants: [await make(), await make()] as const, isActive, make };
};

test('the tokens of a client are listed by grant, with a pseudonym for whoever allowed it and no token', async () => {
  const { at, grants } = await scene();
  await world.project();
  const page = await dev.ask('GET', `${at}/tokens?minPosition=${grants[1].position}`);
  expect(page.body).toMatchObject({ current: true, next: null });
  expect(page.body['tokens']).toEqual(
    grants.toReversed().map((grant) => ({
      grantId: grant.id,
      subject: grant.terms.account,
      scopes: ['read'],
      resources: [],
      status: 'active',
      reason: null,
      tokenSequence: 1,
      authorizedAt: expect.any(String),
      lastIssuedAt: expect.any(String),
      expiresAt: expect.any(String),
      endedAt: null,
    })),
  );
  for (const grant of grants)
    for (const secret of [grant.accessToken, grant.refreshToken, grant.terms.tokenNonce]) expect(page.text).not.toContain(secret);
});

test('one grant is revoked by its developer, effective at once and recorded as such, and the other lives on', async () => {
  const { at, grants, isActive } = await scene();
  const [one, other] = grants;
  expect(await dev.ask('DELETE', `${at}/tokens/${one.id}`)).toMatchObject({ status: 200, body: { changed: true } });
  expect([await isActive(one.accessToken), await isActive(other.accessToken)]).toEqual([false, true]);
  expect(await dev.ask('DELETE', `${at}/tokens/${one.id}`)).toMatchObject({ status: 200, body: { changed: false } });
  const { rows } = await world.deps.pool.query(
    `select data, actor from event where platform = 'shop' and stream_id = $1 and type = 'grant.revoked'`,
    [one.id],
  );
  expect(rows).toEqual([{ data: { reason: 'by_client', by: dev.id }, actor: { kind: 'account', id: dev.id } }]);
});

test('all grants are revoked together, and one that is made later is not', async () => {
  const { at, grants, isActive, make } = await scene();
  expect(await dev.ask('DELETE', `${at}/tokens`)).toMatchObject({ status: 200, body: { changed: true } });
  for (const grant of grants) expect(await isActive(grant.accessToken)).toBe(false);
  expect(await isActive((await make()).accessToken)).toBe(true);
});

test('a grant of another client is no grant of this one, whosever client that is', async () => {
  const [mine, alsoMine, theirs] = [await scene(), await scene(), await scene(stranger)];
  for (const foreign of [alsoMine, theirs]) {
    expect(await dev.ask('DELETE', `${mine.at}/tokens/${foreign.grants[0].id}`)).toMatchObject({
      status: 404,
      body: { code: 'unknown_grant' },
    });
    expect(await foreign.isActive(foreign.grants[0].accessToken)).toBe(true);
  }
  for (const nonsense of ['nonsense', '01890000-0000-7000-8000-000000000001', '00000000-0001-8000-8000-000000000000', dev.id])
    expect(await dev.ask('DELETE', `${mine.at}/tokens/${nonsense}`)).toMatchObject({ status: 404, body: { code: 'unknown_grant' } });
});

test('neither list nor revocation is reached through a client of somebody else', async () => {
  const theirs = await scene(stranger);
  for (const [method, path] of [
    ['GET', '/tokens'],
    ['DELETE', '/tokens'],
    ['DELETE', `/tokens/${theirs.grants[0].id}`],
  ] as const)
    expect(await dev.ask(method, theirs.at + path)).toMatchObject({ status: 404, body: { code: 'unknown_client' } });
  expect(await theirs.isActive(theirs.grants[0].accessToken)).toBe(true);
});
