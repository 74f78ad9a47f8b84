import type { PlatformId } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createDeveloperWorld, type DeveloperWorld, type TestDeveloper, webApp } from './support.ts';

let world: DeveloperWorld;
let shop: PlatformId;
let dev: TestDeveloper;
beforeAll(async () => {
  world = await createDeveloperWorld(inject('databaseUrl'));
  shop = await world.open('shop');
  dev = await world.developer(shop);
});
afterAll(() => world.close());

const manage = (method: 'GET' | 'POST', path: string, body?: object) => world.call(world.root, method, `/shop/manage/clients${path}`, body);
const approve = (at: string) => world.approve(shop, at.slice(1));
const approved = async (): Promise<string> => {
  const { body } = await dev.ask('POST', '', { ...webApp, redirectUris: ['https://app.example/cb', 'https://app.example/old'] });
  const at = `/${body['clientId']}`;
  expect((await approve(at)).status).toBe(200);
  return at;
};
const further = { redirectUris: ['https://app.example/cb', 'https://elsewhere.example/cb'] };
/** Whether an authorization request for a redirect URI gets as far as a page that asks. */
const leadsTo = async (at: string, redirectUri: string): Promise<boolean> => {
  const query = new URLSearchParams({
    client_id: at.slice(1),
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: 'read',
    code_challenge: 'x'.repeat(43),
    code_challenge_method: 'S256',
  });
  return (await world.app.inject(`/shop/oauth/authorize?${query}`)).statusCode === 200;
};

test('a redirect URI that is added waits for an operator, and the client works on with those it has', async () => {
  const at = await approved();
  const answer = await dev.ask('PATCH', at, further);
  expect(answer).toMatchObject({ status: 200, body: { changed: true, client: { approval: 'approved', proposal: { changes: further } } } });
  expect(await leadsTo(at, 'https://elsewhere.example/cb')).toBe(false);
  expect(await leadsTo(at, 'https://app.example/old')).toBe(true);
  await approve(at);
  expect(await leadsTo(at, 'https://elsewhere.example/cb')).toBe(true);
  expect(await leadsTo(at, 'https://app.example/old')).toBe(false);
});

test('less of something is done at once', async () => {
  const at = await approved();
  expect(await dev.ask('PATCH', at, { redirectUris: ['https://app.example/cb'] })).toMatchObject({ body: { client: { proposal: null } } });
  expect(await leadsTo(at, 'https://app.example/old')).toBe(false);
});

test('an operator finds what waits, sees what is proposed and by whom, and refuses it with a reason', async () => {
  const at = await approved();
  await dev.ask('PATCH', at, { name: 'Your bank' });
  await world.project();
  const { body } = await manage('GET', `?waiting=true&owner=${dev.id}&minPosition=${await world.head(shop)}`);
  expect(body).toMatchObject({ current: true });
  expect(body['clients']).toContainEqual(
    expect.objectContaining({ clientId: at.slice(1), owner: dev.id, name: 'My app', hasProposal: true, proposedName: 'Your bank' }),
  );
  expect((await manage('GET', at)).body).toMatchObject({ owner: dev.id, name: 'My app', proposal: { changes: { name: 'Your bank' } } });
  expect(await manage('POST', `${at}/reject`, { reason: 'misleading_name' })).toMatchObject({ body: { changed: true } });
  expect((await dev.ask('GET', at)).body).toMatchObject({
    name: 'My app',
    approval: 'approved',
    proposal: null,
    rejection: 'misleading_name',
  });
  expect(await manage('POST', `${at}/reject`)).toMatchObject({ status: 409, body: { code: 'already_approved' } });
});

test('what is changed after an operator has looked is not approved by what they saw', async () => {
  const at = await approved();
  await dev.ask('PATCH', at, { name: 'Harmless' });
  const seen = (await manage('GET', at)).body['reviewPosition'];
  await dev.ask('PATCH', at, { name: 'Your bank' });
  expect(await manage('POST', `${at}/approve`, { asOf: seen })).toMatchObject({ status: 409, body: { code: 'changed_since' } });
  expect((await manage('GET', at)).body).toMatchObject({ name: 'My app', proposal: { changes: { name: 'Your bank' } } });
  const now = (await manage('GET', at)).body['reviewPosition'];
  expect(await manage('POST', `${at}/approve`, { asOf: now })).toMatchObject({ status: 200, body: { changed: true } });
  expect(await manage('POST', `${at}/approve`, { asOf: now })).toMatchObject({ status: 200, body: { changed: false } });
});

test.each([undefined, {}, { asOf: null }, { asOf: 0 }, { asOf: 'latest' }])(
  'nothing is approved by an operator who does not say what they saw (%j)',
  async (body) => {
    const at = await approved();
    await dev.ask('PATCH', at, further);
    const refused = await manage('POST', `${at}/approve`, body);
    expect(refused).toMatchObject({ status: 400, body: { code: 'invalid_request', errors: [{ path: 'asOf' }] } });
    if (body === undefined) expect(refused.text).toContain('asOf is missing');
    expect(await leadsTo(at, 'https://elsewhere.example/cb')).toBe(false);
    await dev.ask('DELETE', at);
    await world.project();
  },
);

test('of an approval and changes at the same time, what was seen is approved or nothing is', async () => {
  for (let round = 0; round < 5; round += 1) {
    const at = await approved();
    await dev.ask('PATCH', at, { name: 'Harmless' });
    const asOf = (await manage('GET', at)).body['reviewPosition'];
    const [approval] = await Promise.all([
      manage('POST', `${at}/approve`, { asOf }),
      ...[1, 2, 3].map((n) => dev.ask('PATCH', at, { name: `Your bank ${n}` })),
    ]);
    const { name } = (await manage('GET', at)).body;
    expect([approval.status, name]).toEqual(approval.status === 200 ? [200, 'Harmless'] : [409, 'My app']);
    await dev.ask('DELETE', at);
    await world.project();
  }
});

test('a client that is changed before its first approval is not approved by what was seen before', async () => {
  const developer = await world.developer(shop);
  const { body } = await developer.ask('POST', '', webApp);
  const at = `/${body['clientId']}`;
  await developer.ask('PATCH', at, { name: 'Your bank' });
  expect(await manage('POST', `${at}/approve`, { asOf: body['position'] })).toMatchObject({ status: 409, body: { code: 'changed_since' } });
});

test('a scope that the platform does not have cannot be proposed', async () => {
  const at = await approved();
  expect(await dev.ask('PATCH', at, { scopes: ['fly'] })).toMatchObject({ status: 422, body: { code: 'unknown_scope' } });
});
