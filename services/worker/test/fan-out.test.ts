import { platformStream } from '@grantlog/domain';
import { describe, expect, test } from 'vitest';
import { useScene } from './support/scene.ts';
import { anyDelivery, states } from './support/worker.ts';
import { until } from './support/world.ts';

describe('who is told', () => {
  const scene = useScene();

  test('a mass revocation tells every endpoint of every grant that began before it, once, and of no other', async () => {
    const world = scene.world();
    const [all, mine, other] = [await scene.receiver(), await scene.receiver(), await scene.receiver()];
    const client = await world.client('agent-1');
    const stranger = await world.client('agent-2');
    const types = ['grant.revoked'];
    await world.endpoint({ url: all.url, types });
    await world.endpoint({ url: mine.url, types, client });
    await world.endpoint({ url: other.url, types, client: stranger });
    await scene.worker();
    const before = [await world.grant({ client }), await world.grant({ client }), await world.grant({ client })];
    const ended = await world.grant({ client });
    await world.revoke(ended);
    await world.grant({ client: stranger });
    const position = await world.append(client, { type: 'client.grants_revoked', data: { reason: 'compromised' } });
    await world.grant({ client });
    await world.append(client, { type: 'client.grants_revoked', data: { reason: 'compromised' } });
    await until(
      () => states(world),
      (found) => found['delivered'] === 2 * (3 + 1 + 1),
    );
    const massive = mine.received.filter(({ body }) => body.data['position'] === position);
    expect(massive.map(({ body }) => body.data['grantId']).sort()).toEqual([...before].sort());
    expect(massive[0]?.body.data).toMatchObject({ reason: 'revoked_with_client', sequence: 2 });
    expect(all.received).toHaveLength(5);
    expect(other.received).toHaveLength(0);
    const { rows } = await world.pool.query(`select lane from ${anyDelivery} d where not proves group by lane`);
    expect(rows).toEqual([{ lane: 0 }]);
  });

  test('revocations of an account and of a platform reach their grants', async () => {
    const world = scene.world();
    const receiver = await scene.receiver();
    const client = await world.client('agent-1');
    const account = world.account();
    await world.endpoint({ url: receiver.url, types: ['grant.revoked'] });
    await scene.worker();
    const hers = await world.grant({ client, account });
    const his = await world.grant({ client, account: world.account() });
    await world.append(account, { type: 'account.grants_revoked', data: { reason: 'asked' } });
    await until(
      () => receiver.received.length,
      (count) => count === 1,
    );
    expect(receiver.received[0]?.body.data).toMatchObject({ grantId: hers, reason: 'revoked_with_account' });
    await world.append(platformStream, { type: 'platform.grants_revoked', data: { reason: 'incident' } });
    await until(
      () => receiver.received.length,
      (count) => count === 2,
    );
    expect(receiver.received[1]?.body.data).toMatchObject({ grantId: his, reason: 'revoked_with_platform' });
    expect((await world.pool.query('select 1 from dispatch_grant')).rowCount).toBe(0);
  });

  test('an account that is disabled is told to clients that hold a grant of it, and to nobody else', async () => {
    const world = scene.world();
    const [mine, other] = [await scene.receiver(), await scene.receiver()];
    const client = await world.client('agent-1');
    const account = world.account();
    await world.endpoint({ url: mine.url, client, types: ['account.disabled'] });
    await world.endpoint({ url: other.url, client: await world.client('agent-2'), types: ['account.disabled'] });
    await scene.worker();
    await world.grant({ client, account });
    await world.append(account, { type: 'account.disabled', data: { reason: 'asked' } });
    await until(
      () => mine.received.length,
      (count) => count === 1,
    );
    expect(mine.received[0]?.body.data).toMatchObject({ accountId: account, reason: 'asked', sequence: 1 });
    expect(other.received).toHaveLength(0);
  });

  test('an endpoint hears nothing from before its registration, from while it is disabled, or of types it did not ask for', async () => {
    const world = scene.world();
    const receiver = await scene.receiver();
    const client = await world.client('agent-1');
    await world.grant({ client });
    const { id } = await world.endpoint({ url: receiver.url, types: ['grant.authorized'] });
    const heard = [await world.grant({ client })];
    await world.append(id, { type: 'webhook_endpoint.disabled', data: { reason: 'operator' } });
    await world.grant({ client });
    await world.append(id, { type: 'webhook_endpoint.enabled', data: {} });
    heard.push(await world.grant({ client }));
    await scene.worker();
    await until(
      () => receiver.received.length,
      (count) => count === 2,
    );
    await until(
      () => states(world),
      (found) => found['delivered'] === 2,
    );
    expect(receiver.received.map(({ body }) => body.data['grantId'])).toEqual(heard);
  });

  test('an endpoint that asked for all of a kind hears those, and one that asked for what is no more the others', async () => {
    const world = scene.world();
    const [ofKind, ofOld] = [await scene.receiver(), await scene.receiver()];
    const client = await world.client('agent-1');
    await world.endpoint({ url: ofKind.url, types: ['grant.*'] });
    await world.endpoint({ url: ofOld.url, types: ['grant.forgotten', 'client.disabled', 'account.*'] });
    await scene.worker();
    await world.revoke(await world.grant({ client }));
    await world.append(client, { type: 'client.disabled', data: { reason: 'abuse' } }, { type: 'client.enabled', data: {} });
    await world.append(world.account(), { type: 'account.enabled', data: {} });
    await until(
      () => states(world),
      (found) => found['delivered'] === 3 + 2,
    );
    const heard = (receiver: typeof ofKind): readonly string[] => receiver.received.map(({ body }) => body.type).toSorted();
    expect(heard(ofKind)).toEqual(['grant.authorized', 'grant.code_redeemed', 'grant.revoked']);
    expect(heard(ofOld)).toEqual(['account.enabled', 'client.disabled']);
  });

  test('a rotated secret and the one before it both sign while they overlap', async () => {
    const world = scene.world();
    const receiver = await scene.receiver();
    const client = await world.client('agent-1');
    const { id } = await world.endpoint({ url: receiver.url, types: ['grant.authorized'] });
    const next = await world.storeSecret(id);
    await world.append(id, {
      type: 'webhook_endpoint.secret_rotated',
      data: { credentialId: next.id, previousValidUntil: Math.floor(Date.now() / 1000) + 60 },
    });
    await scene.worker();
    await world.grant({ client });
    await until(
      () => receiver.received.length,
      (count) => count === 1,
    );
    expect(String(receiver.received[0]?.headers['webhook-signature']).split(' ')).toHaveLength(2);
  });

  test('an ordered endpoint gets each grant in order, and a failing grant holds up no other', async () => {
    const world = scene.world();
    let stuck = '';
    const receiver = await scene.receiver((request) => ({
      status: request.body.data['grantId'] === stuck ? 500 : 200,
      delayMs: Math.random() * 10,
    }));
    const client = await world.client('agent-1');
    await world.endpoint({ url: receiver.url, ordered: true, concurrency: 8 });
    const grants = [];
    for (let n = 0; n < 6; n += 1) grants.push(await world.grant({ client }));
    stuck = String(grants[0]);
    for (const grant of grants) for (let sequence = 2; sequence <= 5; sequence += 1) await world.refresh(grant, sequence);
    for (const grant of grants) await world.revoke(grant);
    await scene.worker();
    await until(
      () => states(world),
      (found) => found['delivered'] === 5 * 7,
    );
    for (const grant of grants.slice(1)) {
      const sequences = receiver.received.filter(({ body }) => body.data['grantId'] === grant).map(({ body }) => body.data['sequence']);
      expect(sequences).toEqual([1, 2, 3, 4, 5, 6, 7]);
    }
    const held = receiver.received.filter(({ body }) => body.data['grantId'] === stuck);
    expect(new Set(held.map(({ body }) => body.data['sequence']))).toEqual(new Set([1]));
  });

  test('an event dispatched twice is delivered once', async () => {
    const world = scene.world();
    const receiver = await scene.receiver();
    const client = await world.client('agent-1');
    await world.endpoint({ url: receiver.url });
    await scene.worker();
    await world.grant({ client });
    await until(
      () => states(world),
      (found) => found['delivered'] === 2,
    );
    await world.pool.query(`update subscription set position = 0 where name = 'dispatcher'`);
    await world.grant({ client });
    await until(
      () => states(world),
      (found) => found['delivered'] === 4,
    );
    expect(receiver.received).toHaveLength(4);
  });
});
