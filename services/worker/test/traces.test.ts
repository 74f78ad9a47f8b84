import { randomUuid, uuidv7 } from '@grantlog/crypto';
import type { EndpointRecovery } from '@grantlog/domain';
import type { CommitId, StreamId } from '@grantlog/eventsourcing';
import { consumeOnce, ensureSubscriptions, listDeliveries, redeliver } from '@grantlog/postgres';
import { parseTraceparent } from '@grantlog/runtime';
import { describe, expect, test } from 'vitest';
import { createDispatcher } from '../src/subscriptions/dispatcher.ts';
import { recover } from '../src/webhooks/recovery.ts';
import type { Received } from './support/receiver.ts';
import { useScene } from './support/scene.ts';
import { platform, until } from './support/world.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const requested = `00-${traceId}-b7ad6b7169203331-00`;
/** Tries again at once. */
const rules = { retryDelays: [20, 20, 20] };

const traceOf = ({ headers }: Received) => parseTraceparent(String(headers['traceparent']));

describe('the trace of a webhook', () => {
  const scene = useScene();

  /** Ends a grant as a request of this correlation id would. */
  const revoke = async (streamId: StreamId, expected: number, correlationId: string): Promise<CommitId> => {
    const commitId = randomUuid() as CommitId;
    const event = { type: 'grant.revoked', data: { reason: 'by_operator', by: null } };
    const actor = { kind: 'system', id: 'test' } as const;
    await scene
      .world()
      .log.append(platform, { commitId, writes: [{ streamId, expected, events: [event] }], reads: [], actor, correlationId });
    return commitId;
  };
  const received = (receiver: { readonly received: readonly Received[] }, wanted: number) =>
    until(
      () => receiver.received,
      ({ length }) => length === wanted,
    );

  test('is that of the request, with a span for each attempt, however often it is sent', async () => {
    const world = scene.world();
    const receiver = await scene.receiver((_, nth) => ({ status: nth === 1 ? 503 : 200 }));
    const client = await world.client('agent-1');
    const { id: endpoint } = await world.endpoint({ url: receiver.url, types: ['grant.revoked'] });
    await scene.worker({ rules });
    await revoke(await world.grant({ client }), 2, requested);
    await received(receiver, 2);
    const found = await until(
      () => listDeliveries(world.api, { platform, endpoint, state: 'delivered', type: 'grant.revoked', limit: 10 }),
      ({ deliveries }) => deliveries.length === 1,
    );
    expect(found.deliveries).toMatchObject([{ trace: requested }]);
    await redeliver(world.api, { platform, endpoint, id: found.deliveries[0]?.id ?? '' });
    const sent = await received(receiver, 3);
    expect(new Set(sent.map(({ id }) => id)).size).toBe(1);
    for (const each of sent) expect(traceOf(each)).toMatchObject({ traceId, flags: 0 });
    expect(new Set([...sent.map((each) => traceOf(each)?.spanId), 'b7ad6b7169203331']).size).toBe(4);
    for (const { headers } of sent) expect(headers).not.toHaveProperty('tracestate');
  });

  test('is the same at an endpoint that is told later, by a recovery', async () => {
    const world = scene.world();
    const receiver = await scene.receiver();
    await scene.worker();
    await revoke(await world.grant({ client: await world.client('agent-1') }), 2, requested);
    const late = await world.endpoint({ url: receiver.url, types: ['grant.revoked'] });
    const data: EndpointRecovery = { recoveryId: uuidv7(Date.now()), from: 1, through: null, ratePerSecond: 500, includeDelivered: false };
    await world.append(late.id, { type: 'webhook_endpoint.recovery_requested', data });
    const [told] = await until(
      async () => {
        await recover({ pool: world.pool, queue: { wake: async () => {} } });
        return receiver.received;
      },
      ({ length }) => length === 1,
    );
    expect(told === undefined ? null : traceOf(told)).toMatchObject({ traceId, flags: 0 });
  });

  test('is one for all that a commit without a request tells, and named by that commit', async () => {
    const world = scene.world();
    const receivers = [await scene.receiver(), await scene.receiver()];
    for (const { url } of receivers) await world.endpoint({ url, types: ['grant.revoked'] });
    await scene.worker();
    const commit = await revoke(await world.grant({ client: await world.client('agent-1') }), 2, 'expiry');
    for (const receiver of receivers) {
      const [told] = await received(receiver, 1);
      expect(told === undefined ? null : traceOf(told)).toMatchObject({ traceId: commit.replaceAll('-', ''), flags: 1 });
    }
  });

  test('is one for all attempts, too, where the message is older than traces', async () => {
    const world = scene.world();
    const receiver = await scene.receiver((_, nth) => ({ status: nth === 1 ? 503 : 200 }));
    const { id: endpoint } = await world.endpoint({ url: receiver.url, types: ['grant.revoked'] });
    const dispatching = createDispatcher({ queue: { wake: async () => {} }, onWakeFailed: () => {} });
    await ensureSubscriptions(world.pool, [dispatching.name]);
    await revoke(await world.grant({ client: await world.client('agent-1') }), 2, requested);
    while ((await consumeOnce(world.pool, [dispatching])).kind === 'consumed');
    await world.pool.query('update message set trace = null');
    await scene.worker({ rules });
    const sent = await received(receiver, 2);
    for (const each of sent) expect(traceOf(each)).toMatchObject({ traceId: each.id.replaceAll('-', ''), flags: 1 });
    expect(new Set(sent.map((each) => traceOf(each)?.spanId)).size).toBe(2);
    const { deliveries } = await listDeliveries(world.api, { platform, endpoint, limit: 10 });
    expect(deliveries.find(({ type }) => type === 'grant.revoked')).toMatchObject({ trace: null });
  });
});
