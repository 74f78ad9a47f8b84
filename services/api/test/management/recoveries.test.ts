import { uuidv7 } from '@grantlog/crypto';
import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import { insertRecovery, transaction } from '@grantlog/postgres';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createDelivered } from './support/delivered.ts';
import { createWorld, type Json, tenantJson, type World } from './support/world.ts';

const day = 86_400_000;
const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();

let world: World;
let root: string;
let worker: ReturnType<typeof createDelivered>;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  root = await world.operator('operator');
  worker = createDelivered(world);
});
afterAll(async () => {
  await worker.close();
  await world.close();
});

/** A verified endpoint, on a platform of which a message is there. */
const verified = async (platform: PlatformId = world.arlo) => {
  const { body } = await world.call(root, 'POST', `/${platform}/manage/webhook-endpoints`, { url: 'https://receiver.example/hook' });
  const id = String(body['endpointId']);
  await worker.record(platform, id, 1, { type: 'webhook_endpoint.verified', data: {} });
  await worker.deliver({ platform, endpoint: id, state: 'failed' });
  const endpoint = `/${platform}/manage/webhook-endpoints/${id}`;
  return { id, platform, endpoint, at: `${endpoint}/recoveries` };
};
type Endpoint = Awaited<ReturnType<typeof verified>>;

const hour = { since: ago(3_600_000) };
const ask = async ({ at }: Endpoint, body: object = hour) => {
  const answer = await world.call(root, 'POST', at, body);
  expect(answer.status).toBe(202);
  return String(answer.body['recoveryId']);
};
/** What the dispatcher does with what was asked. */
const begin = ({ platform, id: endpoint }: Endpoint, id: string) =>
  transaction(worker.pool, (client) =>
    insertRecovery(client, {
      platform,
      endpoint: endpoint as StreamId,
      id,
      from: 1,
      through: 9,
      ratePerSecond: 50,
      includeDelivered: false,
      requestedAt: Date.now(),
    }),
  );
const finish = (id: string) =>
  worker.pool.query(
    `update endpoint_recovery set state = 'done', position = 9, examined = 7, again = 5, finished_at = now() where id = $1`,
    [id],
  );

test('a recovery is recorded, shown from the first moment, and followed to its end', async () => {
  const endpoint = await verified();
  const { status, body, headers } = await world.call(root, 'POST', endpoint.at, { ...hour, ratePerSecond: 20, includeDelivered: true });
  expect(status).toBe(202);
  expect(body).toEqual({ recoveryId: expect.any(String), position: await world.head(world.arlo) });
  const id = String(body['recoveryId']);
  const at = `${endpoint.at}/${id}`;
  expect(headers['location']).toBe(at);
  const asked = { recoveryId: id, state: 'running', examined: 0, again: 0, ratePerSecond: 20, includeDelivered: true, finishedAt: null };
  expect((await world.call(root, 'GET', at)).body).toMatchObject({ ...asked, through: null, requestedAt: expect.stringMatching(/Z$/) });
  expect((await world.call(root, 'GET', endpoint.at)).body['recoveries']).toMatchObject([asked]);
  expect(await world.everything()).toContain(id);

  await begin(endpoint, id);
  expect((await world.call(root, 'GET', at)).body).toMatchObject({ state: 'running', from: 1, through: 9, position: 0 });
  await finish(id);
  expect((await world.call(root, 'GET', at)).body).toEqual({
    recoveryId: id,
    state: 'done',
    from: 1,
    through: 9,
    position: 9,
    examined: 7,
    again: 5,
    ratePerSecond: 50,
    includeDelivered: false,
    requestedAt: expect.stringMatching(/Z$/),
    finishedAt: expect.stringMatching(/Z$/),
  });
  expect(((await world.call(root, 'GET', endpoint.at)).body['recoveries'] as readonly Json[]).map(({ state }) => state)).toEqual(['done']);
});

test('an endpoint has one recovery at a time, however many ask at once', async () => {
  const endpoint = await verified();
  const answers = await Promise.all(Array.from({ length: 5 }, () => world.call(root, 'POST', endpoint.at, hour)));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([202, 409, 409, 409, 409]);
  const id = String(answers.find(({ status }) => status === 202)?.body['recoveryId']);
  const refused = async () =>
    expect(await world.call(root, 'POST', endpoint.at, hour)).toMatchObject({ status: 409, body: { code: 'recovery_running' } });
  await refused();
  await begin(endpoint, id);
  await refused();
  await finish(id);
  expect(await ask(endpoint)).not.toBe(id);
});

test('a recovery is cancelled once, and makes way for another', async () => {
  const endpoint = await verified();
  const id = await ask(endpoint);
  for (const changed of [true, false]) {
    await begin(endpoint, id);
    expect(await world.call(root, 'DELETE', `${endpoint.at}/${id}`)).toMatchObject({ status: 200, body: { changed } });
  }
  await worker.pool.query(`update endpoint_recovery set state = 'cancelled', finished_at = now() where id = $1`, [id]);
  const next = await ask(endpoint);
  await begin(endpoint, next);
  await finish(next);
  expect(await world.call(root, 'DELETE', `${endpoint.at}/${next}`)).toMatchObject({ status: 200, body: { changed: false } });
});

test('positions and times are found in what is kept, and what is no more there is said to be', async () => {
  const platform = 'keeping' as PlatformId;
  await world.call(root, 'PUT', `/system/manage/platforms/${platform}`, tenantJson(platform));
  const endpoint = await verified(platform);
  const rangeOf = async (body: object) => {
    const id = await ask(endpoint, body);
    const { from, through } = (await world.call(root, 'GET', `${endpoint.at}/${id}`)).body;
    await world.call(root, 'DELETE', `${endpoint.at}/${id}`);
    return { from, through };
  };
  const told: { readonly at: number; readonly position: number }[] = [];
  for (let n = 0; n < 3; n += 1) {
    const at = Date.now() - (3 - n) * 25_000;
    const id = await worker.deliver({ platform, endpoint: endpoint.id, id: uuidv7(at) });
    const { rows } = await worker.pool.query<{ position: number }>('select position from message where id = $1', [id]);
    told.push({ at, position: rows[0]?.position ?? 0 });
  }
  const [first, second] = told;
  if (first === undefined || second === undefined) throw new Error('three were told');
  expect(await rangeOf({ since: new Date(second.at - 1).toISOString(), until: new Date(second.at + 1).toISOString() })).toEqual({
    from: second.position,
    through: second.position,
  });
  expect(await rangeOf({ since: new Date(first.at).toISOString() })).toEqual({ from: expect.any(Number), through: null });
  expect(await rangeOf({ position: 1 })).toEqual({ from: 1, through: null });

  const oldest = await worker.pool.query<{ position: number; recorded_at: Date }>(
    'select position, recorded_at from message where platform = $1 order by position limit 1',
    [platform],
  );
  const { body, status } = await world.call(root, 'POST', endpoint.at, { since: ago(31 * day) });
  expect({ status, ...body }).toMatchObject({ status: 422, code: 'not_kept' });
  expect(body['errors']).toEqual([
    {
      path: 'since',
      problem: `is before the oldest message that is kept, of ${oldest.rows[0]?.recorded_at.toISOString()}, at position ${oldest.rows[0]?.position}`,
      fix: expect.any(String),
    },
  ]);
  for (const empty of [
    { since: new Date(Date.now() + day).toISOString() },
    { ...hour, until: ago(2 * 3_600_000) },
    { position: 10_000_000 },
  ])
    expect(await world.call(root, 'POST', endpoint.at, empty)).toMatchObject({ status: 422, body: { code: 'recovery_empty' } });
});

test.each<[object, string]>([
  [{}, 'since is missing'],
  [{ ...hour, position: 3 }, 'since is given beside position'],
  [{ since: 'yesterday' }, 'since is no time'],
  [{ since: '2026-02-30T25:00:00Z' }, 'since is no time'],
  [{ since: '2026-01-01' }, 'since is no time'],
  [{ ...hour, until: 'tomorrow' }, 'until is no time'],
  [{ position: 0 }, 'position must be >= 1'],
  [{ position: '1' }, 'position must be integer'],
  [{ ...hour, ratePerSecond: 501 }, 'ratePerSecond must be <= 500'],
  [{ ...hour, ratePerSecond: 0 }, 'ratePerSecond must be >= 1'],
  [{ ...hour, includeDelivered: 'yes' }, 'includeDelivered must be boolean'],
  [{ ...hour, from: 1 }, 'from is not a known property'],
])('a recovery asked for by %j is refused with words', async (body, words) => {
  const endpoint = await verified();
  expect(await world.call(root, 'POST', endpoint.at, body)).toMatchObject({
    status: 400,
    body: { code: 'invalid_request', detail: `The body is refused: ${words}` },
  });
});

test('an endpoint that nothing is sent to is not recovered', async () => {
  const { body } = await world.call(root, 'POST', '/arlo/manage/webhook-endpoints', { url: 'https://receiver.example/hook' });
  const path = `/arlo/manage/webhook-endpoints/${body['endpointId']}`;
  const refused = async (code: string) =>
    expect(await world.call(root, 'POST', `${path}/recoveries`, { position: 1 })).toMatchObject({ status: 409, body: { code } });
  await refused('endpoint_unverified');
  await world.call(root, 'POST', `${path}/disable`);
  await refused('endpoint_disabled');
  await world.call(root, 'DELETE', path);
  await refused('endpoint_deleted');
});

test('a recovery of another endpoint, of another platform and of nobody is 404, and only an operator of the platform asks', async () => {
  const [mine, other] = [await verified(), await verified()];
  const id = await ask(mine);
  await begin(mine, id);
  const person = await world.account(world.arlo);
  for (const at of [other.at, mine.at.replace('/arlo/', '/along/')])
    for (const method of ['GET', 'DELETE'] as const)
      expect([at, await world.call(root, method, `${at}/${id}`)]).toMatchObject([at, { status: 404 }]);
  for (const at of [mine.at.replace('/arlo/', '/along/'), mine.at.replace(mine.id, person.id), mine.at.replace(mine.id, 'nonsense')]) {
    expect([at, await world.call(root, 'POST', at, { position: 1 })]).toMatchObject([
      at,
      { status: 404, body: { code: 'unknown_endpoint' } },
    ]);
    expect([at, await world.call(root, 'GET', at)]).toMatchObject([at, { status: 404, body: { code: 'unknown_endpoint' } }]);
  }
  expect(await world.call(root, 'GET', `${mine.at}/nonsense`)).toMatchObject({ status: 404, body: { code: 'unknown_recovery' } });
  const stranger = await world.operator('operator:along');
  expect(await world.call(stranger, 'POST', mine.at, hour)).toMatchObject({ status: 403, body: { code: 'role_required' } });
  expect(await world.call(null, 'GET', mine.at)).toMatchObject({ status: 401 });
  expect((await world.call(root, 'GET', `${mine.at}/${id}`)).body['state']).toBe('running');
});
