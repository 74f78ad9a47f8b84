import type { ClientStreamId } from '@grantlog/domain';
import { revokeGrant } from '@grantlog/provisioning';
import { hashLeaf, readLogProof, verifierKeyOf, verifyLogProof } from '@grantlog/transparency';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { openShop, type Shop } from '../developer/shop.ts';
import type { TestDeveloper } from '../developer/support.ts';
import type { Json } from '../management/support/world.ts';
import { indexEvents } from './support/index-events.ts';
import { signTree } from './support/sign-tree.ts';

const by = { actor: { kind: 'operator', id: 'somebody' }, correlationId: 'test' } as const;

let world: Shop['world'];
let shop: Shop['shop'];
let developer: TestDeveloper;
let stranger: TestDeveloper;
let own: { readonly id: string; readonly stream: ClientStreamId };
let other: { readonly id: string; readonly stream: ClientStreamId };
beforeAll(async () => {
  let register: Shop['register'];
  let withRoom: Shop['withRoom'];
  ({ world, shop, register, withRoom } = await openShop(inject('databaseUrl')));
  [developer, stranger] = [await withRoom(), await withRoom()];
  const names = await world.deps.directory.open(shop);
  const made = async (of: TestDeveloper) => {
    const { id } = await register(of);
    await world.approve(shop, id);
    return { id, stream: names?.client(id) as ClientStreamId };
  };
  [own, other] = [await made(developer), await made(stranger)];
});
afterAll(() => world.close());

const grantOf = (client: typeof own, account: TestDeveloper['id']) =>
  world.grant({ platform: shop, client: client.stream, clientId: client.id, account, scopes: ['read'] });
const ask = async (
  who: TestDeveloper,
  path: string,
  { method = 'GET', at = shop as string }: { readonly method?: 'GET' | 'DELETE'; readonly at?: string } = {},
) => {
  const authorization = `Basic ${btoa(`${who.email}:${who.password}`)}`;
  const {
    statusCode: status,
    body: text,
    headers,
  } = await world.app.inject({ method, url: path.startsWith('/') ? path : `/${at}/${path}`, headers: { authorization } });
  const body = /json/.test(String(headers['content-type'])) ? (JSON.parse(text) as Json) : {};
  return { status, text, headers, body };
};
const caughtUp = async () => {
  await indexEvents(world);
  return signTree(world, shop);
};
/** The event that a receipt is of, once it is proved by the key of the log alone. */
const proved = async (text: string): Promise<Json> => {
  const signer = await caughtUp();
  const proof = readLogProof(text);
  if (proof?.extra == null) throw new Error(`no receipt: ${text}`);
  const verified = verifyLogProof({ proof, leafHash: hashLeaf(proof.extra), log: { key: verifierKeyOf(signer, 'ed25519') } });
  expect(verified.outcome).toBe('verified');
  return JSON.parse(Buffer.from(proof.extra).toString()) as Json;
};

test('a person who revokes a grant is told where its receipt is, and gets it once the log is signed so far', async () => {
  const grant = await grantOf(other, developer.id);
  await caughtUp();
  const revoked = await ask(developer, `account/grants/${grant.id}`, { method: 'DELETE' });
  expect([revoked.status, revoked.body], revoked.text).toEqual([
    200,
    { position: expect.any(Number), changed: true, receipt: `/shop/account/receipts/${revoked.body['position']}` },
  ]);
  const at = String(revoked.body['receipt']);
  const early = await ask(developer, at);
  expect([early.status, early.body['code'], early.headers['retry-after']]).toEqual([404, 'not_signed_yet', '2']);
  await signTree(world, shop);
  // Signed, but nobody can say yet whom it concerns.
  expect((await ask(developer, at)).body).toMatchObject({ code: 'not_signed_yet' });
  await caughtUp();
  const { status, text, headers } = await ask(developer, at);
  expect([status, headers['cache-control']], text).toEqual([200, 'private, no-store']);
  expect(await proved(text)).toMatchObject({
    type: 'grant.revoked',
    stream_id: grant.id,
    actor: { kind: 'account', id: developer.id },
    data: { reason: 'by_account' },
  });
  // One that has ended stays as it ended.
  expect((await ask(developer, `account/grants/${grant.id}`, { method: 'DELETE' })).body).toMatchObject({ changed: false, receipt: null });
});

test('a grant of somebody else is not there to be revoked', async () => {
  const { id } = await grantOf(own, stranger.id);
  for (const grant of [id, 'nonsense', developer.id])
    expect((await ask(developer, `account/grants/${grant}`, { method: 'DELETE' })).body).toMatchObject({
      status: 404,
      code: 'unknown_grant',
    });
  expect((await ask(stranger, `account/grants/${id}`, { method: 'DELETE' })).body).toMatchObject({ changed: true });
});

test('whoever an operator revoked a grant of has a receipt of it, and so has the developer of its client', async () => {
  const grant = await grantOf(own, stranger.id);
  const changed = await revokeGrant(world.deps.provisioning, by, { platform: shop, grant: grant.id });
  const position = 'position' in changed ? changed.position : 0;
  await caughtUp();
  for (const [who, path] of [
    [stranger, `account/receipts/${position}`],
    [developer, `developer/clients/${own.id}/receipts/${position}`],
  ] as const)
    expect(await proved((await ask(who, path)).text)).toMatchObject({ position, type: 'grant.revoked', stream_id: grant.id });
  const { rows } = await world.deps.pool.query<{ data: Json }>(
    `select data from event where platform = 'shop' and type = 'audit.read' order by position desc limit 1`,
  );
  expect(rows[0]?.data).toEqual({ question: 'entries', about: { position, client: own.stream } });
});

test('a developer revokes a grant of their client, and the position that is answered has a receipt', async () => {
  const grant = await grantOf(own, stranger.id);
  const { body } = await ask(developer, `developer/clients/${own.id}/tokens/${grant.id}`, { method: 'DELETE' });
  await caughtUp();
  const { text } = await ask(developer, `developer/clients/${own.id}/receipts/${body['position']}`);
  expect(await proved(text)).toMatchObject({ type: 'grant.revoked', stream_id: grant.id });
});

test('every other position is answered alike, so that none says what stands there', async () => {
  const theirs = await grantOf(other, stranger.id);
  await caughtUp();
  const head = await world.head(shop);
  const answers = new Set<string>();
  for (const path of [
    `account/receipts/${theirs.position}`,
    `developer/clients/${own.id}/receipts/${theirs.position}`,
    'account/receipts/1',
  ]) {
    const { status, body } = await ask(developer, path);
    answers.add(`${status} ${String(body['code'])} ${String(body['detail'])}`);
  }
  expect([...answers]).toEqual(['404 unknown_event No such event is shown here']);
  // Beyond what is signed nobody is told whether anything stands there: the public checkpoint says as much.
  for (const position of [head + 100, 9_007_199_254_740_991]) {
    const { status, body, headers } = await ask(developer, `account/receipts/${position}`);
    expect([status, body['code'], headers['retry-after']]).toEqual([404, 'not_signed_yet', '2']);
  }
  expect((await ask(developer, `developer/clients/${other.id}/receipts/${theirs.position}`)).body).toMatchObject({
    code: 'unknown_client',
  });
  for (const wrong of ['0', '-1', 'x', '1e20']) expect((await ask(developer, `account/receipts/${wrong}`)).status).toBe(400);
  expect((await ask(developer, `account/receipts/${theirs.position}`, { at: 'arlo' })).status).toBe(401);
  expect((await ask(developer, `audit/receipts/${theirs.position}`)).status).toBe(401);
});

test('everything that a person is shown has a receipt for them, and what is in it is no key and no token', async () => {
  await grantOf(other, developer.id);
  await caughtUp();
  const { body } = await ask(developer, 'account/events?limit=500');
  const shown = body['events'] as readonly Json[];
  expect(shown.length).toBeGreaterThan(3);
  for (const { position, type, data } of shown) {
    const event = await proved((await ask(developer, `account/receipts/${position}`)).text);
    const { tokenNonce: _, tokenKeyId: __, ...rest } = event['data'] as Json;
    expect([event['type'], rest]).toEqual([type, data]);
    expect(Object.keys(event).sort()).toEqual(
      'actor causation_id commit_id correlation_id data format personal_digest platform position recorded_at schema_version stream_id type version'.split(
        ' ',
      ),
    );
  }
});
