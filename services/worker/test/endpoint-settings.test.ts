import { describe, expect, test } from 'vitest';
import { useScene } from './support/scene.ts';
import { anyDelivery, states } from './support/worker.ts';
import { until } from './support/world.ts';

const scene = useScene();
const circuitsStayClosed = { circuit: { openAfter: 1_000, base: 1, most: 1 } };

const statesByType = async (): Promise<Readonly<Record<string, string>>> => {
  const { rows } = await scene
    .world()
    .pool.query<{ type: string; state: string }>(
      `select m.type, d.state from ${anyDelivery} d join message m using (platform, id) where not d.proves`,
    );
  return Object.fromEntries(rows.map(({ type, state }) => [type, state]));
};

describe('an endpoint that wants nothing stale', () => {
  test('is not told how a grant went on once it has heard the end, and the delivery says so', async () => {
    const world = scene.world();
    let isUp = false;
    const receiver = await scene.receiver(() => ({ status: isUp ? 204 : 500 }));
    const client = await world.client('agent-1');
    await world.endpoint({ url: receiver.url, skipSuperseded: true });
    await world.endpoint({ url: `${receiver.url}/all`, skipSuperseded: false });
    await scene.worker({ rules: circuitsStayClosed });
    const grant = await world.grant({ client });
    await until(
      () => receiver.received.length,
      (count) => count === 4,
    );
    isUp = true;
    await world.revoke(grant);
    await until(
      () => states(world),
      (found) => found['delivered'] === 2 && found['superseded'] === 2,
    );
    await world.pool.query(`update delivery set due_at = now()`);
    await until(
      () => states(world),
      (found) => found['delivered'] === 4 && found['superseded'] === 2 && found['pending'] === undefined,
    );
    const again = receiver.received.slice(4).map(({ path, body }) => `${path} ${body.type}`);
    expect(again.filter((line) => line.startsWith('/hook '))).toEqual(['/hook grant.revoked']);
    expect(again.filter((line) => line.startsWith('/hook/all '))).toHaveLength(3);
  });

  test('is told of the newest refresh alone', async () => {
    const world = scene.world();
    const receiver = await scene.receiver();
    const client = await world.client('agent-1');
    await world.endpoint({ url: receiver.url, skipSuperseded: true, types: ['grant.refreshed'] });
    const grant = await world.grant({ client });
    for (let sequence = 2; sequence <= 5; sequence += 1) await world.refresh(grant, sequence);
    // All of it is dispatched before anything is sent.
    await scene.worker();
    await until(
      () => states(world),
      (found) => found['delivered'] === 1 && found['superseded'] === 3,
    );
    expect(receiver.received.map(({ body }) => body.data['tokenSequence'])).toEqual([5]);
  });
});

describe('an endpoint that names a rate', () => {
  test('gets a second of it at once, and the rest as time goes by', async () => {
    const world = scene.world();
    const receiver = await scene.receiver();
    const client = await world.client('agent-1');
    await world.endpoint({ url: receiver.url, ratePerSecond: 10, concurrency: 50, types: ['grant.authorized'] });
    for (let n = 0; n < 30; n += 1) await world.grant({ client });
    await scene.worker();
    await until(
      () => states(world),
      (found) => found['delivered'] === 30,
    );
    const times = receiver.received.map(({ at }) => at).sort((a, b) => a - b);
    // Twenty had to wait for a tenth of a second each. Later is no fault.
    expect((times[29] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(1_900);
    // Never more in any second than the bucket holds and what flows in.
    for (const [index, from] of times.entries()) {
      const within = times.slice(index).filter((at) => at < from + 950).length;
      expect(within).toBeLessThanOrEqual(20);
    }
  });
});

describe('a receiver', () => {
  test('stops what it is told of one message by a header of its answer', async () => {
    const world = scene.world();
    const receiver = await scene.receiver(({ body }) =>
      body.type === 'grant.authorized' ? { status: 422, headers: { 'webhook-delivery': 'abort-message' } } : { status: 204 },
    );
    const client = await world.client('agent-1');
    await world.endpoint({ url: receiver.url });
    await scene.worker();
    await world.grant({ client });
    await until(statesByType, (found) => Object.keys(found).length === 2 && !Object.values(found).includes('pending'));
    expect(await statesByType()).toEqual({ 'grant.authorized': 'stopped', 'grant.code_redeemed': 'delivered' });
    expect(receiver.received).toHaveLength(2);
  });

  test('ends everything by a header of its answer, also with 2xx', async () => {
    const world = scene.world();
    const receiver = await scene.receiver(() => ({ status: 200, headers: { 'Webhook-Delivery': 'disable' } }));
    const client = await world.client('agent-1');
    const { id } = await world.endpoint({ url: receiver.url, types: ['grant.authorized'] });
    const worker = await scene.worker();
    await world.grant({ client });
    await until(
      () => worker.fates.length,
      (count) => count === 1,
    );
    const { rows } = await world.pool.query('select data from event where stream_id = $1 order by version desc limit 1', [id]);
    expect(rows).toEqual([{ data: { reason: 'receiver' } }]);
    expect(await states(world)).toEqual({ delivered: 1 });
  });

  test('that asks for patience with 429 has everything wait, and nothing of another endpoint', async () => {
    const world = scene.world();
    const busy = await scene.receiver(() => ({ status: 429, headers: { 'retry-after': '120' } }));
    const idle = await scene.receiver();
    const client = await world.client('agent-1');
    await world.endpoint({ url: busy.url, concurrency: 1 });
    await world.endpoint({ url: idle.url });
    await scene.worker();
    for (let n = 0; n < 5; n += 1) await world.grant({ client });
    await until(
      () => idle.received.length,
      (count) => count === 10,
    );
    await until(
      () =>
        world.pool.query<{ s: number }>(
          `select extract(epoch from open_until - now())::float8 as s from endpoint_work where open_until is not null`,
        ),
      ({ rows }) => rows.length === 1 && (rows[0]?.s ?? 0) > 110,
    );
    // What has arrived at the other is recorded a moment later.
    await until(
      () => states(world),
      (found) => found['pending'] === 10,
    );
    expect(busy.received.length).toBeLessThan(3);
  });
});

describe('an endpoint whose URL is not proved', () => {
  test('hears nothing but the question until it answers, and then everything', async () => {
    const world = scene.world();
    let answers = false;
    const receiver = await scene.receiver(() => ({ status: answers ? 204 : 503 }), { answersProofs: true });
    const client = await world.client('agent-1');
    await world.endpoint({ url: receiver.url, isVerified: false });
    await scene.worker();
    const grant = await world.grant({ client });
    await world.revoke(grant);
    await until(
      () => states(world),
      (found) => found['held'] === 3,
    );
    await until(
      () => receiver.received.length,
      (count) => count >= 1,
    );
    expect(new Set(receiver.received.map(({ body }) => body.type))).toEqual(new Set(['webhook_endpoint.verification']));
    answers = true;
    await world.pool.query('update delivery set due_at = now() where proves');
    await until(
      () => states(world),
      (found) => found['delivered'] === 3,
    );
  });

  test('is given up after six questions, with what it was to hear', async () => {
    const world = scene.world();
    const receiver = await scene.receiver(() => ({ status: 404 }), { answersProofs: true });
    const client = await world.client('agent-1');
    const { id } = await world.endpoint({ url: receiver.url, isVerified: false });
    const worker = await scene.worker({ rules: circuitsStayClosed });
    await world.grant({ client });
    await until(
      async () => {
        await world.pool.query(`update delivery set due_at = now() where state = 'pending'`);
        return worker.fates.length;
      },
      (count) => count === 1,
    );
    expect(receiver.received).toHaveLength(6);
    const { rows } = await world.pool.query('select data from event where stream_id = $1 order by version desc limit 1', [id]);
    expect(rows).toEqual([{ data: { reason: 'unverified' } }]);
  });
});

test('a revocation goes before a backlog that its endpoint is slow to take', async () => {
  const world = scene.world();
  const receiver = await scene.receiver(() => ({ status: 204, delayMs: 30 }));
  const client = await world.client('agent-1');
  await world.endpoint({ url: receiver.url, concurrency: 1 });
  const grants = [];
  for (let n = 0; n < 60; n += 1) grants.push(await world.grant({ client }));
  await scene.worker();
  await until(
    () => receiver.received.length,
    (count) => count > 5,
  );
  const [first] = grants;
  if (first === undefined) throw new Error('there are grants');
  await world.revoke(first);
  await until(
    () => receiver.ofType('grant.revoked').length,
    (count) => count === 1,
  );
  const before = receiver.received.findIndex(({ body }) => body.type === 'grant.revoked');
  // It had waited for what was on its way, not for the hundred before it.
  expect(before).toBeLessThan(60);
});
