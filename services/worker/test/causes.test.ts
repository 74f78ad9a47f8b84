import { randomUuid, standingId, uuidv7 } from '@grantlog/crypto';
import { type ClientStreamId, parsePlatformDocument, platformStream, standingKinds } from '@grantlog/domain';
import type { CommitId, RecordedEvent, StreamId } from '@grantlog/eventsourcing';
import { readEventsAfter } from '@grantlog/postgres';
import { clientList } from '@grantlog/read-models';
import { expect, test } from 'vitest';
import { reapClients } from '../src/clients/reap-clients.ts';
import { expireGrants } from '../src/grants/expire-grants.ts';
import { expireSessions } from '../src/sessions/expire-sessions.ts';
import { createDispatcher } from '../src/subscriptions/dispatcher.ts';
import { runProjections } from '../src/subscriptions/projections.ts';
import { createStreamState } from '../src/subscriptions/stream-state.ts';
import { useScene } from './support/scene.ts';
import { clientIdOf, platform, until, type World } from './support/world.ts';

const scene = useScene();

const history = (world: World) => readEventsAfter(world.pool, { platform, after: 0, limit: 10_000 });
const appendedByWorker = (events: readonly RecordedEvent[]) => events.filter(({ actor }) => actor.id !== 'test');

/** A platform that ends clients which nobody used within a second. */
const hurried = async (world: World): Promise<void> => {
  const parsed = parsePlatformDocument({ name: platform, displayName: 'Arlo', scopes: [{ name: 'read', description: 'Read' }] });
  if (!parsed.ok) throw new Error('the document is good');
  const { document } = parsed;
  const registration = { ...document.registration, unusedClientDays: 1 / 86_400 };
  const webhooks = { ...document.webhooks, allowLoopback: true };
  await world.append(platformStream, { type: 'platform.configured', data: { document: { ...document, registration, webhooks } } });
};
const register = async (world: World, how: 'dynamic' | 'portal'): Promise<ClientStreamId> => {
  const id = standingId(standingKinds.client) as ClientStreamId;
  const data = {
    ...{ clientId: clientIdOf(id), kind: 'public', how, name: 'An app', redirectUris: ['https://a.example/cb'] },
    ...{ grantTypes: ['authorization_code'], scopes: null, authMethods: ['none'], idTokenAlg: null, serves: [], roles: [] },
    ...{ owner: null, secretCredential: null, approval: 'approved', tokenNonce: 'n'.repeat(43) },
  };
  await world.append(id, { type: 'client.registered', data });
  return id;
};
const session = async (world: World, client: ClientStreamId): Promise<StreamId> => {
  const id = uuidv7(Date.now()) as StreamId;
  const terms = { client, clientId: clientIdOf(client), via: 'init_signup', scopes: ['read'], resources: [], codeChallenge: null };
  const rest = { expiresAt: Math.floor(Date.now() / 1000) + 1, intervalSeconds: 5, tokenKeyId: 1, tokenNonce: 'n'.repeat(43) };
  await world.append(id, { type: 'session.started', data: { ...terms, ...rest } });
  return id;
};

test('whatever the worker appends names the earlier commit of its platform that led to it, and goes on with its correlation', async () => {
  const world = scene.world();
  await hurried(world);
  // Streams are read from their snapshots here, as they mostly are: the event that led to something is asked for by itself.
  const snapshots = createStreamState({ sealer: world.sealer, onTampered: () => {} });
  const dispatcher = createDispatcher({ queue: { wake: async () => {} }, onWakeFailed: () => {} });
  await scene.worker({
    rules: {
      retryDelays: Array.from({ length: 60 }, () => 50),
      failingMs: 500,
      warnBeforeMs: 500,
      failingAttempts: 1,
      circuit: { openAfter: 100, base: 1, most: 1 },
    },
    subscriptions: [dispatcher, snapshots],
    sweepEvery: 50,
  });
  const runner = runProjections({
    pool: world.pool,
    projections: [clientList],
    runner: { listenUrl: world.url, onFailure: ({ error }) => expect(error).toBeUndefined() },
    onError: (error) => expect(error).toBeUndefined(),
  });
  scene.atEnd(runner.stop);

  const client = await register(world, 'portal');
  const types = ['grant.authorized', 'grant.expired'] as const;
  const proving = await world.endpoint({ url: (await scene.receiver()).url, types: [...types], isVerified: false });
  const gone = await world.endpoint({ url: (await scene.receiver(() => ({ status: 410 }))).url, types: ['grant.authorized'] });
  const failing = await world.endpoint({ url: (await scene.receiver(() => ({ status: 500 }))).url, types: ['grant.authorized'] });
  const grant = await world.grant({ client, lifetime: 1 });
  const pending = await session(world, client);
  const unused = await register(world, 'dynamic');
  const context = { log: world.log, pool: world.pool, limit: 100 };
  const wanted = {
    'webhook_endpoint.verified': proving.id,
    'grant.expired': grant,
    'session.expired': pending,
    'client.deleted': unused,
  };
  const found = await until(
    async () => {
      await world.pool.query(`update dispatch_grant set expires_at = now() - interval '1 second' where expires_at > now()`);
      await world.pool.query(`update dispatch_session set expires_at = now() - interval '1 second' where expires_at > now()`);
      await Promise.all([expireGrants(context), expireSessions(context), reapClients(context)]);
      return appendedByWorker(await history(world));
    },
    (events) =>
      Object.entries(wanted).every(([type, stream]) => events.some((each) => each.type === type && each.streamId === stream)) &&
      [gone.id, failing.id].every((id) => events.some(({ type, streamId }) => type === 'webhook_endpoint.disabled' && streamId === id)),
    25_000,
  );
  const all = await history(world);
  expect(found.some(({ type }) => type === 'webhook_endpoint.failing')).toBe(true);
  for (const event of found) {
    const { type, causationId, correlationId, position } = event;
    const causes = all.filter(({ commitId }) => commitId === causationId);
    expect([type, causes.length > 0], 'a cause that stands').toEqual([type, true]);
    for (const cause of causes) expect([type, cause.position < position, cause.correlationId]).toEqual([type, true, correlationId]);
  }
  const causeOf = (type: string, streamId: StreamId) => {
    const event = found.find((each) => each.type === type && each.streamId === streamId);
    return all.filter(({ commitId }) => commitId === event?.causationId).map((each) => [each.type, each.streamId]);
  };
  expect(causeOf('grant.expired', grant)).toEqual([
    ['grant.authorized', grant],
    ['grant.code_redeemed', grant],
  ]);
  expect(causeOf('session.expired', pending)).toEqual([['session.started', pending]]);
  expect(causeOf('client.deleted', unused)).toEqual([['client.registered', unused]]);
  expect(causeOf('webhook_endpoint.verified', proving.id)).toEqual([['webhook_endpoint.registered', proving.id]]);
  for (const { id } of [gone, failing]) expect(causeOf('webhook_endpoint.disabled', id)[0]).toEqual(['grant.authorized', grant]);
}, 40_000);

test('what somebody asked for has no cause', async () => {
  const world = scene.world();
  await world.log.append(platform, {
    commitId: randomUuid() as CommitId,
    writes: [{ streamId: standingId(standingKinds.client) as StreamId, expected: 0, events: [{ type: 'client.registered', data: {} }] }],
    reads: [],
    actor: { kind: 'operator', id: 'test' },
    correlationId: 'a request',
  });
  const events = await history(world);
  expect(events.map(({ causationId }) => causationId)).toEqual(events.map(() => null));
});
