import { randomToken, uuidv7 } from '@grantlog/crypto';
import type { StreamId } from '@grantlog/eventsourcing';
import { consumeOnce, createPool, ensureSubscriptions, transaction } from '@grantlog/postgres';
import { ensureGenerations, grantList, subscriptionOf } from '@grantlog/read-models';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createWorld, type World } from './support/world.ts';

let world: World;
let root: string;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  root = await world.operator('operator');
});
afterAll(() => world.close());

const grants = '/arlo/manage/grants';
const makeGrant = async () => {
  const client = await world.machine([], { platform: world.arlo });
  const person = await world.account(world.arlo);
  const grant = await world.grant({
    platform: world.arlo,
    client: client.stream,
    clientId: client.clientId,
    account: person.id,
    scopes: ['read'],
  });
  return { ...grant, client, person, at: `${grants}/${grant.id}` };
};

/** Runs the list's projection as the worker does, until it has nothing left to do. */
const project = async (): Promise<void> => {
  const pool = createPool({ connectionString: world.databaseUrl, role: 'grantlog_worker', max: 2 });
  try {
    await transaction(pool, (client) => ensureGenerations(client, grantList));
    const subscription = subscriptionOf(grantList, 1);
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

test('a grant is read as it stands, without what its tokens are made from', async () => {
  const grant = await makeGrant();
  const read = await world.call(root, 'GET', grant.at);
  expect(read.body).toMatchObject({
    grantId: grant.id,
    clientId: grant.client.clientId,
    account: grant.person.id,
    scopes: ['read'],
    status: 'active',
    standing: 'good',
    tokens: { sequence: 1, revokedAccessTokens: 0 },
  });
  for (const secret of [grant.terms.tokenNonce, grant.accessToken, grant.refreshToken, 'Nonce', 'tokenKeyId'])
    expect(read.text).not.toContain(secret);
});

test('a grant says who stands in its way', async () => {
  const grant = await makeGrant();
  await world.call(root, 'POST', `/arlo/manage/accounts/${grant.person.id}/disable`);
  expect((await world.call(root, 'GET', grant.at)).body).toMatchObject({ status: 'active', standing: 'account_disabled' });
});

test('revoking ends a grant and its tokens, and again changes nothing', async () => {
  const grant = await makeGrant();
  const revoked = await world.call(root, 'POST', `${grant.at}/revoke`);
  expect(revoked).toMatchObject({ status: 200, body: { changed: true, position: await world.head(world.arlo) } });
  expect(await world.call(root, 'POST', `${grant.at}/revoke`)).toMatchObject({
    status: 200,
    body: { changed: false, position: revoked.body['position'] },
  });
  expect((await world.call(root, 'GET', grant.at)).body).toMatchObject({ status: 'ended', reason: 'by_operator', tokens: null });
  const { rows } = await world.deps.pool.query(
    `select actor->>'kind' as kind from event where platform = 'arlo' and type = 'grant.revoked' and stream_id = $1`,
    [grant.id],
  );
  expect(rows).toEqual([{ kind: 'operator' }]);
});

test('a denied grant is read as denied and cannot be revoked', async () => {
  const { terms } = await makeGrant();
  const { tokenNonce: _, ...denied } = terms;
  const id = uuidv7(Date.now()) as StreamId;
  await world.append(world.arlo, id, { type: 'grant.denied', data: { ...denied, reason: 'by_account' } });
  expect((await world.call(root, 'GET', `${grants}/${id}`)).body).toEqual({ grantId: id, status: 'denied' });
  expect(await world.call(root, 'POST', `${grants}/${id}/revoke`)).toMatchObject({ status: 409, body: { code: 'grant_denied' } });
});

test('what another platform has, what is no grant and what is no id is 404', async () => {
  const grant = await makeGrant();
  const signIn = uuidv7(Date.now()) as StreamId;
  await world.append(world.arlo, signIn, {
    type: 'sign_in.succeeded',
    data: { account: grant.person.id, method: 'password', authTime: 1 },
  });
  for (const at of [
    `/along/manage/grants/${grant.id}`,
    `${grants}/${signIn}`,
    `${grants}/${grant.person.id}`,
    `${grants}/${grant.client.stream}`,
    `${grants}/nonsense`,
  ]) {
    expect([at, await world.call(root, 'GET', at)]).toMatchObject([at, { status: 404, body: { code: 'unknown_grant' } }]);
    expect([at, await world.call(root, 'POST', `${at}/revoke`)]).toMatchObject([at, { status: 404, body: { code: 'unknown_grant' } }]);
  }
  expect((await world.call(root, 'GET', grant.at)).body['status']).toBe('active');
});

test('the list waits for a position, filters, pages, and shows no other platform', async () => {
  const [first, second] = [await makeGrant(), await makeGrant()];
  const { body: revoked } = await world.call(root, 'POST', `${second.at}/revoke`);
  const waiting = world.call(root, 'GET', `${grants}?minPosition=${revoked['position']}`);
  await project();
  const listed = await waiting;
  expect(listed).toMatchObject({ status: 200, body: { current: true } });
  const ids = (answer: typeof listed) => (answer.body['grants'] as readonly { readonly grantId: string }[]).map(({ grantId }) => grantId);
  expect(ids(listed).slice(0, 2)).toEqual([second.id, first.id]);
  expect((listed.body['grants'] as object[])[0]).toMatchObject({
    status: 'revoked',
    reason: 'by_operator',
    clientId: second.client.clientId,
  });
  expect(ids(await world.call(root, 'GET', `${grants}?clientId=${first.client.clientId}`))).toEqual([first.id]);
  expect(ids(await world.call(root, 'GET', `${grants}?account=${second.person.id}&status=revoked`))).toEqual([second.id]);
  expect(ids(await world.call(root, 'GET', `${grants}?account=nonsense`))).toEqual([]);
  const page = await world.call(root, 'GET', `${grants}?limit=1`);
  expect(ids(page)).toEqual([second.id]);
  expect(ids(await world.call(root, 'GET', `${grants}?limit=1&before=${page.body['next']}`))).toEqual([first.id]);
  expect(ids(await world.call(root, 'GET', '/along/manage/grants'))).toEqual([]);
  expect(listed.text).not.toContain(first.terms.tokenNonce);
});

test('a list that cannot reach a position in time says so', async () => {
  expect(await world.call(root, 'GET', `${grants}?minPosition=${(await world.head(world.arlo)) + 1000}`)).toMatchObject({
    status: 200,
    body: { current: false },
  });
});

test.each(['limit=0', 'limit=201', 'limit=many', 'limit=1&limit=2', 'status=fine', 'surprise=1', `clientId=${randomToken(400)}`])(
  'the query %s is refused',
  async (query) => {
    expect(await world.call(root, 'GET', `${grants}?${query}`)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  },
);
