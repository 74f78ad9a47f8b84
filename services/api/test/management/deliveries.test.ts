import { uuidv7 } from '@grantlog/crypto';
import type { StreamId } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createDelivered } from './support/delivered.ts';
import { createWorld, type Json, tenantJson, type World } from './support/world.ts';

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

const register = async (platform: string = world.arlo): Promise<string> => {
  const { body } = await world.call(root, 'POST', `/${platform}/manage/webhook-endpoints`, { url: 'https://receiver.example/hook' });
  return String(body['endpointId']);
};
const verified = async (platform = world.arlo): Promise<string> => {
  const endpoint = await register(platform);
  await worker.record(platform, endpoint, 1, { type: 'webhook_endpoint.verified', data: {} });
  return endpoint;
};
const list = async (query: string, platform: string = world.arlo) => {
  const answer = await world.call(root, 'GET', `/${platform}/manage/deliveries?${query}`);
  expect(answer.status).toBe(200);
  const deliveries = answer.body['deliveries'] as readonly Json[];
  return { ids: deliveries.map(({ id }) => id), deliveries, next: answer.body['next'] as string | null };
};
const at = (endpoint: string, id: string, platform: string = world.arlo) =>
  `/${platform}/manage/webhook-endpoints/${endpoint}/deliveries/${id}`;

test('deliveries are listed newest first, by endpoint, event, subject, status and type, and these together', async () => {
  const [endpoint, other] = [await register(), await register()];
  const subject = uuidv7(Date.now()) as StreamId;
  const { arlo: platform } = world;
  const first = await worker.deliver({ platform, endpoint, subject });
  await worker.deliver({ platform, endpoint: other, subject, id: first });
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const failed = await worker.deliver({ platform, endpoint, state: 'failed', trace: `00-${traceId}-b7ad6b7169203331-01` });
  const pending = await worker.deliver({ platform, endpoint, state: 'pending', type: 'grant.revoked' });
  const held = await worker.deliver({ platform, endpoint, state: 'held' });

  expect((await list(`endpoint=${endpoint}`)).ids).toEqual([held, pending, failed, first]);
  expect((await list(`endpoint=${other}`)).ids).toEqual([first]);
  expect((await list(`event=${first}`)).deliveries.map(({ endpointId }) => endpointId).toSorted()).toEqual([endpoint, other].toSorted());
  expect((await list(`grant=${subject}`)).ids).toEqual([first, first]);
  expect((await list(`grant=${subject}&endpoint=${endpoint}`)).ids).toEqual([first]);
  expect((await list('status=failed')).ids).toEqual([failed]);
  expect((await list('status=held')).ids).toEqual([held]);
  expect((await list(`endpoint=${endpoint}&status=pending`)).ids).toEqual([pending]);
  expect((await list(`endpoint=${endpoint}&status=delivered`)).ids).toEqual([first]);
  expect((await list(`endpoint=${endpoint}&status=stopped`)).ids).toEqual([]);
  expect((await list(`endpoint=${endpoint}&type=grant.revoked`)).ids).toEqual([pending]);
  expect((await list(`event=${failed}`)).deliveries).toEqual([
    {
      id: failed,
      endpointId: endpoint,
      type: 'grant.refreshed',
      subject: expect.any(String),
      position: expect.any(Number),
      status: 'failed',
      attempts: 1,
      createdAt: expect.stringMatching(/Z$/),
      dueAt: null,
      finishedAt: expect.stringMatching(/Z$/),
      traceId,
    },
  ]);
  const [waiting] = (await list(`event=${pending}`)).deliveries;
  // Its message is older than traces.
  expect(waiting).toMatchObject({
    traceId: pending.replaceAll('-', ''),
    status: 'pending',
    dueAt: expect.stringMatching(/Z$/),
    finishedAt: null,
  });
});

test('the list of everything pages without a gap and without a repeat, whatever the page', async () => {
  const platform = 'paging';
  await world.call(root, 'PUT', `/system/manage/platforms/${platform}`, tenantJson(platform));
  const [one, two] = [await register(platform), await register(platform)];
  const made: string[] = [];
  for (let n = 0; n < 6; n += 1) {
    const of = { platform: platform as typeof world.arlo, type: n === 0 ? 'session.linked' : 'grant.refreshed' };
    const id = await worker.deliver({ ...of, endpoint: one, state: n % 2 === 0 ? 'pending' : 'delivered' });
    await worker.deliver({ ...of, endpoint: two, id, state: 'delivered' });
    made.unshift(
      ...[one, two]
        .toSorted()
        .toReversed()
        .map((endpoint) => `${id} ${endpoint}`),
    );
  }
  const walk = async (query: string): Promise<readonly string[]> => {
    const found: string[] = [];
    for (let before: string | null = ''; before !== null; ) {
      const page = await list(`${query}${before === '' ? '' : `&before=${before}`}`, platform);
      found.push(...page.deliveries.map(({ id, endpointId }) => `${id} ${endpointId}`));
      before = page.next;
    }
    return found;
  };
  for (const limit of [1, 3, 4, 12, 100]) expect(await walk(`limit=${limit}`)).toEqual(made);
  expect(await walk('limit=1&type=session.linked')).toEqual(made.slice(-2));
});

test('a type that is rare among very many is found by reading on, however short the pages before', async () => {
  const name = 'rare';
  await world.call(root, 'PUT', `/system/manage/platforms/${name}`, tenantJson(name));
  const platform = name as typeof world.arlo;
  const endpoint = await register(name);
  const id = await worker.deliver({ platform, endpoint, type: 'session.linked', id: uuidv7(Date.now() - 200_000) });
  await worker.deliverMany({ platform, endpoint, count: 2_100 });
  const first = await list('type=session.linked', name);
  expect(first.ids).toEqual([]);
  expect(await list(`type=session.linked&before=${first.next}`, name)).toMatchObject({ ids: [id], next: null });
});

test('a list says nothing of another platform, and nothing of what is no id', async () => {
  const endpoint = await register();
  const subject = uuidv7(Date.now()) as StreamId;
  const id = await worker.deliver({ platform: world.arlo, endpoint, subject });
  for (const query of [`endpoint=${endpoint}`, `event=${id}`, `grant=${subject}`, '', 'status=delivered'])
    expect(await list(query, 'along')).toMatchObject({ deliveries: [], next: null });
  for (const query of ['endpoint=nonsense', 'event=1', `grant=${subject.toUpperCase()}X`.slice(0, 42), `event=${uuidv7(1)}`])
    expect(await list(query)).toMatchObject({ deliveries: [], next: null });
});

test.each([
  ['before=nonsense', 'before is not where a page ended'],
  [`before=${Buffer.from('a b').toString('base64url')}`, 'before is not where a page ended'],
  ['limit=0', 'limit must be >= 1'],
  ['limit=201', 'limit must be <= 200'],
  ['status=lost', 'status must be equal to one of the allowed values'],
  ['endpont=1', 'endpont is not a known property'],
  [`event=${'1'.repeat(37)}`, 'event must not have more than 36 characters'],
])('a list asked for by %s is refused with words', async (query, words) => {
  expect(await world.call(root, 'GET', `/arlo/manage/deliveries?${query}`)).toMatchObject({
    status: 400,
    body: { code: 'invalid_request', detail: `The query is refused: ${words}` },
  });
});

test('a delivery is shown with what was sent and every attempt at it', async () => {
  const endpoint = await register();
  const id = await worker.deliver({ platform: world.arlo, endpoint, state: 'failed' });
  const { status, body } = await world.call(root, 'GET', at(endpoint, id));
  expect(status).toBe(200);
  expect(body).toMatchObject({ id, endpointId: endpoint, status: 'failed', attempts: 1 });
  expect(JSON.parse(String(body['body']))).toMatchObject({ type: 'grant.refreshed' });
  expect(body['history']).toEqual([
    {
      attempt: 1,
      beganAt: expect.stringMatching(/Z$/),
      durationMs: 12,
      outcome: 'rejected',
      status: 500,
      reason: 'The receiver answered',
      response: 'what it says',
    },
  ]);
});

test('what was finished is sent again under its id, and what is under way is not', async () => {
  const endpoint = await verified();
  const id = await worker.deliver({ platform: world.arlo, endpoint, state: 'failed' });
  expect(await world.call(root, 'POST', `${at(endpoint, id)}/resend`)).toMatchObject({
    status: 202,
    body: { id, status: 'pending', attempts: 1, dueAt: expect.any(String), finishedAt: null },
  });
  const { rows } = await worker.pool.query('select lane, due_at <= now() as due from delivery where id = $1', [id]);
  expect(rows).toEqual([{ lane: 1, due: true }]);
  expect(await world.call(root, 'POST', `${at(endpoint, id)}/resend`)).toMatchObject({ status: 409, body: { code: 'delivery_pending' } });
  expect((await world.call(root, 'GET', at(endpoint, id))).body['history']).toHaveLength(1);
});

test('nothing is sent again to an endpoint that nothing is sent to', async () => {
  const endpoint = await register();
  const id = await worker.deliver({ platform: world.arlo, endpoint, state: 'failed' });
  const refused = async (code: string) => {
    expect(await world.call(root, 'POST', `${at(endpoint, id)}/resend`)).toMatchObject({ status: 409, body: { code } });
    expect((await world.call(root, 'GET', at(endpoint, id))).body['status']).toBe('failed');
  };
  await refused('endpoint_unverified');
  await world.call(root, 'POST', `/arlo/manage/webhook-endpoints/${endpoint}/disable`);
  await refused('endpoint_disabled');
  await world.call(root, 'DELETE', `/arlo/manage/webhook-endpoints/${endpoint}`);
  await refused('endpoint_deleted');
});

test('a delivery of another endpoint, of another platform and of no id is 404, read or sent again', async () => {
  const [endpoint, other, theirs] = [await verified(), await verified(), await verified(world.along)];
  const id = await worker.deliver({ platform: world.arlo, endpoint });
  const their = await worker.deliver({ platform: world.along, endpoint: theirs });
  for (const path of [
    at(other, id),
    at(endpoint, their),
    at(theirs, their),
    at(endpoint, id, 'along'),
    at(theirs, id, 'along'),
    at(endpoint, uuidv7(Date.now())),
    at(endpoint, 'nonsense'),
    at('nonsense', id),
  ]) {
    expect([path, await world.call(root, 'GET', path)]).toMatchObject([path, { status: 404, body: { code: 'unknown_delivery' } }]);
    expect([path, await world.call(root, 'POST', `${path}/resend`)]).toMatchObject([
      path,
      { status: 404, body: { code: 'unknown_delivery' } },
    ]);
  }
  const { rows } = await worker.pool.query('select 1 from delivery where id = any($1::uuid[])', [[id, their]]);
  expect(rows).toEqual([]);
});

test('only an operator of the platform sees what its endpoints were sent', async () => {
  const endpoint = await register();
  const id = await worker.deliver({ platform: world.arlo, endpoint });
  const stranger = await world.operator('operator:along');
  for (const path of ['/arlo/manage/deliveries', at(endpoint, id)]) {
    expect(await world.call(null, 'GET', path)).toMatchObject({ status: 401 });
    expect(await world.call(stranger, 'GET', path)).toMatchObject({ status: 403, body: { code: 'role_required' } });
  }
  expect(await world.call(stranger, 'POST', `${at(endpoint, id)}/resend`)).toMatchObject({ status: 403 });
});

test('an endpoint is read with how it has been answering and how much waits for it', async () => {
  const endpoint = await verified();
  const health = async () => (await world.call(root, 'GET', `/arlo/manage/webhook-endpoints/${endpoint}`)).body['health'];
  expect(await health()).toEqual({
    consecutiveFailures: 0,
    failingSince: null,
    circuit: 'closed',
    openUntil: null,
    lastSuccessAt: null,
    lastFailureAt: null,
    pending: 0,
    held: 0,
  });
  await worker.deliver({ platform: world.arlo, endpoint, state: 'pending' });
  await worker.deliver({ platform: world.arlo, endpoint, state: 'held' });
  const work = (open: string) =>
    worker.pool.query(
      `insert into endpoint_work (platform, endpoint, consecutive_failures, failing_since, open_until, last_success_at, last_failure_at)
       values ('arlo', $1, 7, now(), now() + $2::interval, now(), now())
       on conflict (platform, endpoint) do update set open_until = excluded.open_until`,
      [endpoint, open],
    );
  await work('1 minute');
  const time = expect.stringMatching(/Z$/);
  const failing = { consecutiveFailures: 7, failingSince: time, lastSuccessAt: time, lastFailureAt: time, pending: 1, held: 1 };
  expect(await health()).toEqual({ ...failing, circuit: 'open', openUntil: time });
  await work('-1 second');
  expect(await health()).toEqual({ ...failing, circuit: 'probing', openUntil: null });
});
