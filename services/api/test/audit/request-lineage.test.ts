import { randomUuid, uuidv7 } from '@grantlog/crypto';
import type { Actor, CommitId, PlatformId, StreamId } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createDelivered } from '../management/support/delivered.ts';
import { createWorld, type Json, type World } from '../management/support/world.ts';
import { indexEvents } from './support/index-events.ts';

let world: World;
let auditor: string;
let delivered: ReturnType<typeof createDelivered>;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  auditor = await (await world.machine(['auditor'])).token({ scope: 'audit' });
  delivered = createDelivered(world);
});
afterAll(async () => {
  await delivered.close();
  await world.close();
});

const operator: Actor = { kind: 'operator', id: 'somebody' };
const worker: Actor = { kind: 'system', id: 'expiry' };
const requestOf = (trace = randomUuid().replaceAll('-', '')) => `00-${trace}-${randomUuid().replaceAll('-', '').slice(16)}-01`;
const traceOf = (correlationId: string) => correlationId.slice(3, 35);

/** A commit of one event, or of more, in a stream of its own. */
const record = async (
  correlationId: string,
  of: {
    readonly by?: Actor;
    readonly cause?: CommitId;
    readonly on?: PlatformId;
    readonly account?: StreamId;
    readonly events?: number;
  } = {},
) => {
  const { by = operator, cause, on = world.arlo, account, events = 1 } = of;
  const commitId = randomUuid() as CommitId;
  const event =
    account === undefined
      ? { type: 'webhook_endpoint.tested', data: {} }
      : { type: 'sign_in.succeeded', data: { account, method: 'password', amr: ['pwd'] } };
  const result = await world.deps.log.append(on, {
    commitId,
    writes: [{ streamId: uuidv7(Date.now()) as StreamId, expected: 0, events: Array.from({ length: events }, () => event) }],
    reads: [],
    actor: by,
    correlationId,
    ...(cause === undefined ? {} : { causationId: cause }),
  });
  if (result.outcome === 'conflict') throw new Error('a new stream is not new');
  return { commitId, position: result.position };
};
const ask = async (correlation: string, at = 'arlo') => {
  await indexEvents(world);
  return world.call(auditor, 'GET', `/${at}/audit/requests/${encodeURIComponent(correlation)}/lineage`);
};
const positionsOf = (body: Json) => (body['events'] as readonly Json[]).map(({ position }) => position);

test('what one request led to is its events, what came of them however late, and who was told', async () => {
  const mine = requestOf();
  const asked = await record(mine, { account: (await world.account(world.arlo)).id });
  const inSameTrace = await record(requestOf(traceOf(mine)));
  const expired = await record(mine, { by: worker, cause: asked.commitId });
  // Whoever goes on with a correlation of their own is found by the cause.
  const later = await record(requestOf(), { by: worker, cause: expired.commitId });
  const lastOf = await record(requestOf(), { by: worker, cause: later.commitId });
  const unrelated = await record(requestOf());
  const endpoint = uuidv7(Date.now());
  const told = (position: number, state: 'delivered' | 'failed') => delivered.deliver({ platform: world.arlo, endpoint, position, state });
  const ids = [await told(asked.position, 'delivered'), await told(lastOf.position, 'failed')];
  await told(unrelated.position, 'delivered');

  const { status, body, text } = await ask(mine);
  expect(status, text).toBe(200);
  expect(body).toMatchObject({ correlation: mine, isWhole: true, askedBy: [operator] });
  expect(positionsOf(body)).toEqual([asked, expired, later, lastOf].map(({ position }) => position));
  expect((body['events'] as readonly Json[]).map(({ causationId }) => causationId)).toEqual([
    null,
    asked.commitId,
    expired.commitId,
    later.commitId,
  ]);
  expect((body['deliveries'] as readonly Json[]).map(({ id, status: how, position }) => [id, how, position])).toEqual([
    [ids[0], 'delivered', asked.position],
    [ids[1], 'failed', lastOf.position],
  ]);
  // A trace is of all its requests.
  const whole = await ask(traceOf(mine));
  expect(positionsOf(whole.body)).toEqual([asked, inSameTrace, expired, later, lastOf].map(({ position }) => position));
  // What came of a commit is found by itself, too.
  const caused = await world.call(auditor, 'GET', `/arlo/audit/events?cause=${asked.commitId}`);
  expect(positionsOf(caused.body)).toEqual([expired.position]);
});

test('no request of another platform is found, nor what came of one', async () => {
  const mine = requestOf();
  const asked = await record(mine);
  await record(mine, { on: world.along });
  await record(requestOf(), { on: world.along, cause: asked.commitId });
  expect(positionsOf((await ask(mine)).body)).toEqual([asked.position]);
  expect(positionsOf((await ask(mine, 'along')).body)).toHaveLength(1);
  const ofOne = requestOf();
  await record(ofOne);
  for (const correlation of [ofOne, traceOf(ofOne), 'nonsense'])
    expect((await ask(correlation, 'along')).body).toMatchObject({ status: 404, code: 'unknown_request' });
  for (const unreadable of ['x'.repeat(61), 'a\u0000b']) expect((await ask(unreadable)).status).toBe(400);
  const ofOther = await (await world.machine(['auditor:along'])).token({ scope: 'audit' });
  expect((await world.call(ofOther, 'GET', `/arlo/audit/requests/${ofOne}/lineage`)).status).toBe(403);
});

test('more than an answer shows is said to be not whole, whether of the request, of what came of it or of who was told', async () => {
  const many = requestOf();
  await record(many, { events: 501 });
  const first = await ask(many);
  expect([first.body['isWhole'], positionsOf(first.body).length]).toEqual([false, 500]);

  const one = requestOf();
  const asked = await record(one);
  await record(requestOf(), { cause: asked.commitId, events: 501 });
  const second = await ask(one);
  expect([second.body['isWhole'], positionsOf(second.body).length]).toEqual([false, 500]);

  const long = requestOf();
  let last = await record(long);
  for (let step = 0; step < 25; step += 1) last = await record(requestOf(), { by: worker, cause: last.commitId });
  const third = await ask(long);
  expect([third.body['isWhole'], positionsOf(third.body).length]).toEqual([false, 21]);
});

test('a commit that is said to have led to itself is followed once', async () => {
  const mine = requestOf();
  const [one, two] = [randomUuid() as CommitId, randomUuid() as CommitId];
  const append = async (commitId: CommitId, causationId: string) =>
    world.deps.log.append(world.arlo, {
      ...{ commitId, causationId, reads: [], actor: worker, correlationId: mine },
      writes: [{ streamId: uuidv7(Date.now()) as StreamId, expected: 0, events: [{ type: 'webhook_endpoint.tested', data: {} }] }],
    });
  await append(one, two);
  await append(two, one);
  await append(randomUuid() as CommitId, 'what is no id');
  const { body } = await ask(mine);
  expect([body['isWhole'], positionsOf(body).length, body['askedBy']]).toEqual([true, 3, []]);
});

test('whom it concerned finds who has looked', async () => {
  const mine = requestOf();
  const account = (await world.account(world.arlo)).id;
  await record(mine, { account });
  await ask(mine);
  const { rows } = await world.deps.pool.query<{ data: Json }>(
    `select data from event where platform = 'arlo' and type = 'audit.read' order by position desc limit 1`,
  );
  expect(rows[0]?.data).toEqual({ question: 'lineage', about: { correlation: mine, account } });
});
