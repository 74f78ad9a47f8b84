import { describe, expect, test } from 'vitest';
import { verifyWith } from './support/receiver.ts';
import { useScene } from './support/scene.ts';
import { anyDelivery, states } from './support/worker.ts';
import { until } from './support/world.ts';

describe('an attempt that fails', () => {
  const scene = useScene();
  const soon = `update delivery set due_at = now() where state = 'pending'`;

  const nextInSeconds = async (): Promise<number> => {
    const { rows } = await scene
      .world()
      .pool.query<{ s: number }>(
        `select extract(epoch from due_at - now())::float8 as s from delivery where state = 'pending' order by position limit 1`,
      );
    return rows[0]?.s ?? Number.NaN;
  };

  test('is made again under the same id with a new signature, and moves to the lane of retries', async () => {
    const world = scene.world();
    const receiver = await scene.receiver((_, nth) => ({ status: nth <= 1 ? 503 : 200 }));
    const client = await world.client('agent-1');
    const { secret } = await world.endpoint({ url: receiver.url, types: ['grant.authorized'] });
    await scene.worker();
    await world.grant({ client });
    await until(
      () => receiver.received.length,
      (count) => count === 1,
    );
    await until(nextInSeconds, (seconds) => seconds > 3.5 && seconds < 5.6);
    const { rows } = await world.pool.query('select lane, failures from delivery where not proves');
    expect(rows).toEqual([{ lane: 2, failures: 1 }]);
    await world.pool.query(soon);
    await until(
      () => receiver.received.length,
      (count) => count === 2,
    );
    for (const request of receiver.received) verifyWith(secret, request);
    expect(receiver.received[1]?.id).toBe(receiver.received[0]?.id);
    expect(receiver.received[1]?.text).toBe(receiver.received[0]?.text);
    await until(
      () => states(world),
      (found) => found['delivered'] === 1,
    );
  });

  test('waits as long as the receiver asks', async () => {
    const world = scene.world();
    const receiver = await scene.receiver(() => ({ status: 429, headers: { 'retry-after': '600' } }));
    const client = await world.client('agent-1');
    await world.endpoint({ url: receiver.url, types: ['grant.authorized'] });
    await scene.worker();
    await world.grant({ client });
    await until(nextInSeconds, (seconds) => seconds > 590 && seconds <= 600);
  });

  test('is given up after the tenth', async () => {
    const world = scene.world();
    const receiver = await scene.receiver(() => ({ status: 500 }));
    const client = await world.client('agent-1');
    await world.endpoint({ url: receiver.url, types: ['grant.authorized'] });
    await scene.worker({ rules: { circuit: { openAfter: 100, base: 1, most: 1 } } });
    await world.grant({ client });
    await until(
      async () => {
        await world.pool.query(soon);
        return states(world);
      },
      (found) => found['failed'] === 1,
    );
    expect(receiver.received).toHaveLength(10);
  });

  test('never follows a redirect', async () => {
    const world = scene.world();
    const target = await scene.receiver();
    const receiver = await scene.receiver(() => ({ status: 307, headers: { location: target.url } }));
    const client = await world.client('agent-1');
    await world.endpoint({ url: receiver.url, types: ['grant.authorized'] });
    await scene.worker();
    await world.grant({ client });
    const attempts = `select outcome, status from attempt a join ${anyDelivery} d using (platform, endpoint, id) where not d.proves`;
    await until(
      () => world.pool.query<{ outcome: string; status: number }>(attempts),
      ({ rows }) => rows.length === 1,
    );
    const { rows } = await world.pool.query(attempts);
    expect(rows).toEqual([{ outcome: 'rejected', status: 307 }]);
    expect(target.received).toHaveLength(0);
  });

  test('with 410 disables the endpoint in the log, and what still waited is abandoned', async () => {
    const world = scene.world();
    const receiver = await scene.receiver(() => ({ status: 410, delayMs: 50 }));
    const client = await world.client('agent-1');
    const { id } = await world.endpoint({ url: receiver.url, concurrency: 1 });
    const worker = await scene.worker();
    for (let n = 0; n < 5; n += 1) await world.grant({ client });
    await until(
      () => states(world),
      (found) => found['abandoned'] === 9 && found['failed'] === 1,
    );
    expect(receiver.received).toHaveLength(1);
    expect(worker.fates).toEqual(['disabled']);
    const { rows } = await world.pool.query(`select type, data from event where stream_id = $1 order by version`, [id]);
    expect(rows.at(-1)).toEqual({ type: 'webhook_endpoint.disabled', data: { reason: 'gone' } });
    const { rows: routes } = await world.pool.query('select status from endpoint_route');
    await until(
      () => routes.length,
      (count) => count === 1,
    );
    await until(
      async () => (await world.pool.query('select status from endpoint_route')).rows[0]?.status,
      (status) => status === 'disabled',
    );
  });

  test('for five days on end disables the endpoint as failing, and warns a day before', async () => {
    const world = scene.world();
    const receiver = await scene.receiver(() => ({ status: 500 }));
    const client = await world.client('agent-1');
    const { id } = await world.endpoint({ url: receiver.url, types: ['grant.authorized'] });
    const worker = await scene.worker({ rules: { failingAttempts: 2, circuit: { openAfter: 100, base: 1, most: 1 } } });
    await world.grant({ client });
    await until(
      () => receiver.received.length,
      (count) => count === 1,
    );
    const age = async (days: number, attempts: number): Promise<void> => {
      await until(
        () => states(world),
        (found) => found['pending'] === 1,
      );
      await world.pool.query(`update endpoint_work set failing_since = now() - make_interval(days => $1)`, [days]);
      await world.pool.query(soon);
      await until(
        () => receiver.received.length,
        (count) => count === attempts,
      );
    };
    await age(4, 2);
    await until(
      () => worker.fates.length,
      (count) => count === 1,
    );
    expect(worker.fates).toEqual(['warned']);
    await age(5, 3);
    await until(
      () => worker.fates.length,
      (count) => count === 2,
    );
    const { rows } = await world.pool.query(`select data from event where stream_id = $1 and type = 'webhook_endpoint.disabled'`, [id]);
    expect(rows).toEqual([{ data: { reason: 'failing' } }]);
  });

  test('opens the circuit after five in a row: then one probe goes out, and a success closes it', async () => {
    const world = scene.world();
    const receiver = await scene.receiver(() => ({ status: 500 }));
    const client = await world.client('agent-1');
    await world.endpoint({ url: receiver.url, concurrency: 1 });
    // Longer than the test: the circuit closes when the test says that the time has come.
    await scene.worker({ rules: { circuit: { openAfter: 5, base: 3_600_000, most: 3_600_000 } } });
    const isOpen = () =>
      until(
        () => world.pool.query('select 1 from endpoint_work where open_until > now()'),
        ({ rowCount }) => rowCount === 1,
      );
    const itsTimeHasCome = () => world.pool.query('update endpoint_work set open_until = now()');
    for (let n = 0; n < 10; n += 1) await world.grant({ client });
    await isOpen();
    expect(receiver.received).toHaveLength(5);
    await itsTimeHasCome();
    await until(
      () => receiver.received.length,
      (count) => count > 5,
    );
    await isOpen();
    expect(receiver.received).toHaveLength(6);
    receiver.answerWith(() => ({ status: 200 }));
    await itsTimeHasCome();
    await until(
      () => states(world),
      (found) => (found['delivered'] ?? 0) >= 14,
    );
    const { rows } = await world.pool.query('select open_until, failing_since from endpoint_work');
    expect(rows).toEqual([{ open_until: null, failing_since: null }]);
  });
});
