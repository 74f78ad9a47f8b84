import { describe, expect, test } from 'vitest';
import { every } from '../src/every.ts';
import { stepRecovery } from '../src/webhooks/recovery.ts';
import { recoveriesOf } from './support/recoveries.ts';
import { useScene } from './support/scene.ts';
import { platform, until } from './support/world.ts';

const scene = useScene();
const { request, of, go, step, dueOf, close, open, allDelivered } = recoveriesOf(scene);

describe('a recovery', () => {
  test('sends what failed again under its id, and what was told while the endpoint was not there for the first time', async () => {
    const world = scene.world();
    const receiver = await scene.receiver();
    const client = await world.client('agent-1');
    const early = await world.endpoint({ url: receiver.url });
    await scene.worker();
    for (let n = 0; n < 3; n += 1) await world.grant({ client });
    await allDelivered(6);
    await world.pool.query(
      `update delivery_done set state = (array['failed', 'stopped', 'superseded', 'abandoned'])[n] from
       (select id as failed, row_number() over (order by id) as n from delivery_done where not proves limit 4) f where id = f.failed`,
    );
    const failed = (await world.pool.query<{ id: string }>(`select id from delivery_done where state <> 'delivered' order by id`)).rows;
    expect(failed).toHaveLength(4);
    await request(early.id);
    expect(await go()).toEqual({ running: 0, again: 4 });
    await allDelivered(6);
    const twice = receiver.received.filter(({ id }) => receiver.received.filter((other) => other.id === id).length === 2);
    expect(new Set(twice.map(({ id }) => id))).toEqual(new Set(failed.map(({ id }) => id)));
    expect(await of(early.id)).toMatchObject({ state: 'done', again: 4, finishedAt: expect.any(Date) });

    const late = await world.endpoint({ url: `${receiver.url}/late`, types: ['grant.code_redeemed'] });
    await request(late.id);
    await go();
    await until(
      () => receiver.received.filter(({ path }) => path.endsWith('/late')).length,
      (count) => count === 3,
    );
    await allDelivered(9);
    const told = receiver.received.filter(({ path }) => path.endsWith('/late'));
    expect(new Set(told.map(({ body }) => body.type))).toEqual(new Set(['grant.code_redeemed']));
  });

  test('makes due after everything else, within its positions, and what was delivered only if it is asked to', async () => {
    const world = scene.world();
    const receiver = await scene.receiver();
    const client = await world.client('agent-1');
    const { id } = await world.endpoint({ url: receiver.url });
    await scene.worker();
    for (let n = 0; n < 3; n += 1) await world.grant({ client });
    await allDelivered(6);
    await close(id);
    const positions = receiver.received.map(({ body }) => Number(body.data['position'])).toSorted((a, b) => a - b);
    const [, from = 0, , through = 0] = positions;
    await request(id, { from, through });
    await go();
    expect(await of(id)).toMatchObject({ state: 'done', examined: 3, again: 0, position: through });
    await request(id, { from, through, includeDelivered: true });
    await go();
    const due = await dueOf(id);
    expect(due.map(({ position }) => position)).toEqual(positions.slice(1, 4));
    expect(new Set(due.map(({ lane, line }) => `${lane} ${line}`))).toEqual(new Set(['2 null']));
    await open(id);
    await allDelivered(6);
    expect(receiver.received).toHaveLength(9);
  });

  test('that stops in the middle is gone on with elsewhere, and makes nothing due twice', async () => {
    const world = scene.world();
    const client = await world.client('agent-1');
    await scene.worker();
    for (let n = 0; n < 5; n += 1) await world.grant({ client });
    const { id: late } = await world.endpoint({ url: 'http://127.0.0.1:9/', client });
    await close(late);
    const recovery = await request(late);
    expect(await step(late, recovery, 4)).toEqual({ went: 'on', again: 4 });
    expect(await of(late)).toMatchObject({ state: 'running', examined: 4, again: 4 });
    const others = await Promise.all([step(late, recovery, 4), step(late, recovery, 4), step(late, recovery, 4)]);
    expect(others.reduce((sum, { again }) => sum + again, 0)).toBeGreaterThanOrEqual(4);
    await go();
    await go();
    expect(await of(late)).toMatchObject({ state: 'done', examined: 10, again: 10 });
    const due = (await dueOf(late)).filter(({ type }) => type.startsWith('grant.'));
    expect(due).toHaveLength(10);
    expect(new Set(due.map((delivery) => delivery.id)).size).toBe(10);
  });

  test('whose transaction is cut leaves neither deliveries nor progress', async () => {
    const world = scene.world();
    const client = await world.client('agent-1');
    await scene.worker();
    for (let n = 0; n < 3; n += 1) await world.grant({ client });
    const { id } = await world.endpoint({ url: 'http://127.0.0.1:9/', client });
    await close(id);
    const recovery = await request(id);
    const cut = {
      connect: async () => {
        const connection = await world.pool.connect();
        return new Proxy(connection, {
          get: (target, name) => {
            const member: unknown = Reflect.get(target, name);
            if (name !== 'query') return typeof member === 'function' ? member.bind(target) : member;
            return (...given: readonly unknown[]) => {
              if (given[0] === 'commit') throw new Error('the worker is killed');
              return Reflect.apply(target.query, target, given);
            };
          },
        });
      },
    } as unknown as typeof world.pool;
    await expect(stepRecovery(cut, { platform, endpoint: id, id: recovery }, 4)).rejects.toThrow('killed');
    expect(await of(id)).toMatchObject({ state: 'running', examined: 0, again: 0 });
    expect((await dueOf(id)).filter(({ type }) => type.startsWith('grant.'))).toEqual([]);
    await go();
    expect(await of(id)).toMatchObject({ state: 'done', again: 6 });
  });

  test('makes no more due than its rate', async () => {
    const world = scene.world();
    const client = await world.client('agent-1');
    await scene.worker();
    for (let n = 0; n < 10; n += 1) await world.grant({ client });
    const { id } = await world.endpoint({ url: 'http://127.0.0.1:9/', types: ['grant.authorized', 'grant.code_redeemed'] });
    await close(id);
    const began = performance.now();
    await request(id, { ratePerSecond: 5 });
    await go();
    expect(await of(id)).toMatchObject({ state: 'running', again: 5 });
    await go();
    const recovering = every(50, go, (error) => expect(error).toBeUndefined());
    scene.atEnd(recovering.stop);
    await until(
      () => of(id),
      (recovery) => recovery?.state === 'done',
    );
    // Five at once, and the other fifteen at five a second.
    expect(performance.now() - began).toBeGreaterThan(2_900);
    expect(await of(id)).toMatchObject({ again: 20 });
  });

  test('sends those of a subject in order where the endpoint wants order', async () => {
    const world = scene.world();
    const receiver = await scene.receiver((_, nth) => ({ status: 200, delayMs: nth % 3 === 0 ? 30 : 0 }));
    const client = await world.client('agent-1');
    await scene.worker();
    const grants = [await world.grant({ client }), await world.grant({ client })];
    for (let n = 2; n < 8; n += 1) for (const grant of grants) await world.refresh(grant, n);
    const { id } = await world.endpoint({ url: receiver.url, ordered: true, concurrency: 10, client });
    await close(id);
    await request(id);
    await go();
    expect((await dueOf(id)).filter(({ type }) => type.startsWith('grant.')).every(({ line, subject }) => line === subject)).toBe(true);
    // What comes meanwhile in another lane waits for what came before it.
    for (const grant of grants) await world.revoke(grant);
    await until(
      () => dueOf(id),
      (due) => due.filter(({ type }) => type === 'grant.revoked').length === 2,
    );
    await open(id);
    await until(
      () => receiver.received.length,
      (count) => count === 18,
    );
    for (const grant of grants) {
      const heard = receiver.received.filter(({ body }) => body.data['grantId'] === grant).map(({ body }) => Number(body.data['sequence']));
      expect(heard).toEqual(heard.toSorted((a, b) => a - b));
      expect(heard).toHaveLength(9);
    }
  });

  test('leaves out what a later message has made stale, where the endpoint wants nothing stale', async () => {
    const world = scene.world();
    const client = await world.client('agent-1');
    await scene.worker();
    const grant = await world.grant({ client });
    for (let n = 2; n < 5; n += 1) await world.refresh(grant, n);
    await world.revoke(grant);
    const { id } = await world.endpoint({ url: 'http://127.0.0.1:9/', skipSuperseded: true, client });
    await close(id);
    await request(id);
    await go();
    const due = (await dueOf(id)).filter(({ subject }) => subject === grant);
    expect(due.map(({ type }) => type)).toContain('grant.revoked');
    expect(due.map(({ type }) => type)).not.toContain('grant.refreshed');
  });

  test('stops when it is cancelled, and when its endpoint is disabled', async () => {
    const world = scene.world();
    const client = await world.client('agent-1');
    await scene.worker();
    for (let n = 0; n < 3; n += 1) await world.grant({ client });
    for (const end of ['webhook_endpoint.recovery_cancelled', 'webhook_endpoint.disabled', 'webhook_endpoint.deleted']) {
      const { id } = await world.endpoint({ url: 'http://127.0.0.1:9/', client });
      await close(id);
      const recoveryId = await request(id, { ratePerSecond: 2 });
      await go();
      const data = end === 'webhook_endpoint.disabled' ? { reason: 'operator' } : { recoveryId };
      await world.append(id, { type: end, data: end === 'webhook_endpoint.deleted' ? {} : data });
      await until(
        () => of(id),
        (recovery) => recovery?.state === 'cancelled',
      );
      await go();
      expect([end, await of(id)]).toMatchObject([end, { state: 'cancelled', again: 2 }]);
    }
  });

  test('waits while its endpoint has to prove another URL', async () => {
    const world = scene.world();
    const receiver = await scene.receiver(() => ({ status: 500 }), { answersProofs: true });
    const client = await world.client('agent-1');
    await scene.worker();
    await world.grant({ client });
    const { id } = await world.endpoint({ url: receiver.url, client });
    await close(id);
    await request(id);
    await world.append(id, { type: 'webhook_endpoint.updated', data: { url: `${receiver.url}/other` } });
    await until(
      async () => (await world.pool.query<{ proven: boolean }>('select proven from endpoint_route where endpoint = $1', [id])).rows[0],
      (route) => route?.proven === false,
    );
    await go();
    expect(await of(id)).toMatchObject({ state: 'running', again: 0 });
    await world.append(id, { type: 'webhook_endpoint.verified', data: {} });
    await until(
      async () => (await world.pool.query<{ proven: boolean }>('select proven from endpoint_route where endpoint = $1', [id])).rows[0],
      (route) => route?.proven === true,
    );
    await go();
    expect(await of(id)).toMatchObject({ state: 'done', again: 2 });
  });
});
