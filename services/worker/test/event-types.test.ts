import { uuidv7 } from '@grantlog/crypto';
import {
  type ClientStreamId,
  enabledType,
  eventTypes,
  type GrantlogEvent,
  type GrantTerms,
  platformStream,
  type SessionId,
  type SessionTerms,
  type SignInId,
  testType,
  typesOfSignals,
  verificationType,
} from '@grantlog/domain';
import type { NewEvent, StreamId } from '@grantlog/eventsourcing';
import { firstLane, revocationLane } from '@grantlog/postgres';
import { revokeSession } from '@grantlog/provisioning';
import { expect, test } from 'vitest';
import { judgeWebhook } from '../../../test/support/judge-webhook.ts';
import { by, clinic, createAgents } from './support/agents.ts';
import type { Received } from './support/receiver.ts';
import { useScene } from './support/scene.ts';
import { anyDelivery, states } from './support/worker.ts';
import { clientIdOf, until, type World } from './support/world.ts';

const scene = useScene();

const newId = <Id extends StreamId>(): Id => uuidv7(Date.now()) as Id;
const inAnHour = (): number => Math.floor(Date.now() / 1000) + 3_600;

/** As `append`, of events as the domain has them. */
const record = (world: World, streamId: StreamId, ...events: readonly GrantlogEvent[]): Promise<number> =>
  world.append(streamId, ...(events as readonly NewEvent[]));

/** A grant with everything that can happen to it, one that runs out, and one of a client that acts for itself. */
const liveAsGrants = async (world: World, client: ClientStreamId): Promise<void> => {
  const grant = await world.grant({ client, account: world.account() });
  await world.refresh(grant, 2);
  await record(
    world,
    grant,
    { type: 'grant.refresh_retried', data: { sequence: 2 } },
    { type: 'grant.context_selected', data: { context: 'safe-2' } },
    { type: 'grant.access_token_revoked', data: { sequence: 1, accessExpiresAt: inAnHour() } },
    { type: 'grant.code_replayed', data: { by: 'client', redeemedAt: Date.now() } },
    { type: 'grant.refresh_reused', data: { sequence: 1, current: 2 } },
    { type: 'grant.revoked', data: { reason: 'refresh_reused', by: client } },
  );
  await record(world, await world.grant({ client }), { type: 'grant.expired', data: { at: Date.now() } });
  const terms: GrantTerms = {
    flow: 'client_credentials',
    client,
    clientId: clientIdOf(client),
    account: null,
    session: null,
    signIn: null,
    scopes: ['read'],
    resources: ['https://api.example'],
    authTime: null,
    tokenNonce: 'n'.repeat(43),
  };
  const issue = {
    sequence: 1,
    issuedAt: Date.now(),
    accessExpiresAt: inAnHour(),
    refreshExpiresAt: null,
    scopes: [0],
    resource: 0,
    tokenKeyId: 1,
  };
  await record(
    world,
    newId(),
    { type: 'grant.authorized', data: { ...terms, code: null, issue } },
    { type: 'grant.refreshed', data: { issue: { ...issue, sequence: 2 } } },
  );
};

const liveAsClientsAndAccounts = async (world: World): Promise<void> => {
  await record(
    world,
    await world.client('another'),
    { type: 'client.rejected', data: { reason: 'requested' } },
    { type: 'client.approved', data: {} },
    { type: 'client.change_rejected', data: { reason: 'unspecified' } },
    { type: 'client.disabled', data: { reason: 'abuse' } },
    { type: 'client.enabled', data: {} },
    { type: 'client.deleted', data: {} },
  );
  await record(
    world,
    world.account(),
    { type: 'account.password_set', data: { credentialId: crypto.randomUUID() } },
    { type: 'account.mfa_enrolled', data: { factor: 'totp', credentialId: crypto.randomUUID() } },
    { type: 'account.mfa_removed', data: { factor: 'totp' } },
    { type: 'account.disabled', data: { reason: 'inactive' } },
    { type: 'account.enabled', data: {} },
    { type: 'account.erased', data: {} },
  );
  await record(
    world,
    newId(),
    { type: 'sign_in.succeeded', data: { account: world.account(), method: 'password', amr: ['pwd'] } },
    { type: 'sign_in.ended', data: { reason: 'signed_out' } },
  );
};

const liveAsSessions = async (world: World, client: ClientStreamId): Promise<void> => {
  const terms: SessionTerms = {
    client,
    clientId: clientIdOf(client),
    via: 'device_authorization',
    scopes: ['read'],
    resources: [],
    codeChallenge: null,
    expiresAt: inAnHour(),
    intervalSeconds: 5,
    tokenKeyId: 1,
    tokenNonce: 'n'.repeat(43),
  };
  const started: GrantlogEvent = { type: 'session.started', data: terms };
  await record(
    world,
    newId<SessionId>(),
    started,
    { type: 'session.linked', data: { account: world.account(), signIn: newId<SignInId>() } },
    { type: 'session.redeemed', data: {} },
    { type: 'session.revoked', data: { reason: 'by_client', by: client } },
  );
  await record(world, newId<SessionId>(), started, { type: 'session.denied', data: { reason: 'wrong_number', account: null } });
  await record(world, newId<SessionId>(), started, { type: 'session.expired', data: { at: Date.now() } });
};

/** Grants that end with their client, with their account, and with all others. */
const endMany = async (world: World, client: ClientStreamId): Promise<void> => {
  await record(world, client, { type: 'client.grants_revoked', data: { reason: 'compromised' } });
  const account = world.account();
  await world.grant({ client, account });
  await record(world, account, { type: 'account.grants_revoked', data: { reason: 'requested' } });
  await world.grant({ client });
  await record(world, platformStream, { type: 'platform.grants_revoked', data: { reason: 'compromised' } });
};

/** An endpoint that nobody answers at, which is tested, warned of and disabled. */
const liveAsEndpoint = async (world: World): Promise<void> => {
  const { id } = await world.endpoint({ url: 'http://127.0.0.1:9/', types: ['grant.expired'] });
  await record(
    world,
    id,
    { type: 'webhook_endpoint.failing', data: { failingSince: Date.now() - 5 * 86_400_000 } },
    { type: 'webhook_endpoint.disabled', data: { reason: 'failing' } },
  );
};

/** An agent with a webhook of its own, which has everything repeated, and the person of its session. */
const liveAsAgent = async (url: string): Promise<void> => {
  const agents = await createAgents(scene.world());
  const { session } = await agents.begin({
    url: `${url}?key=of-the-receiver`,
    signature: 'v1a',
    sessionKey: 'main',
    conversationSessionKey: 'conversation 7',
    deliveryContext: { to: { channel: 'chat' }, many: [1, null] },
  });
  const account = await agents.person();
  await agents.link(session, account);
  await agents.append(account, { type: 'account.disabled', data: { reason: 'abuse' } }, { type: 'account.enabled', data: {} });
  await revokeSession(agents.provisioning, by, { platform: clinic, session, reason: 'by_account', account });
};

/** What webhooks are sent; the other type is for streams of security events. */
const webhookTypes = eventTypes.filter(({ type }) => type !== enabledType);

test('everything that is sent is as the catalogue says, and the catalogue has nothing that is never sent', async () => {
  const world = scene.world();
  const withProofs = { answersProofs: true };
  const [operators, agents] = [await scene.receiver(undefined, withProofs), await scene.receiver(undefined, withProofs)];
  const operated = await world.endpoint({ url: operators.url });
  const client = await world.client('an agent');
  await scene.worker();
  await liveAsGrants(world, client);
  await liveAsClientsAndAccounts(world);
  await liveAsSessions(world, client);
  await endMany(world, client);
  await liveAsAgent(agents.url);
  await liveAsEndpoint(world);
  await record(world, operated.id, { type: 'webhook_endpoint.tested', data: {} });

  const received = (): readonly Received[] => [...operators.received, ...agents.received];
  const asks: ReadonlySet<string> = new Set([verificationType, testType]);
  const unseen = (): readonly string[] =>
    webhookTypes.map(({ type }) => type).filter((type) => !received().some(({ body }) => body.type === type));
  await until(unseen, (types) => types.length === 0, 30_000);
  // Asked, linked, granted, disabled, enabled, and the ends of both.
  await until(
    () => agents.received.length,
    (count) => count === 7,
  );
  await until(
    () => states(world),
    (found) =>
      Object.keys(found).join() === 'delivered' && found['delivered'] === received().filter(({ body }) => !asks.has(body.type)).length,
  );

  expect(received().flatMap(({ body }) => judgeWebhook(body))).toEqual([]);
  for (const reason of ['revoked_with_client', 'revoked_with_account', 'revoked_with_platform'])
    expect(
      operators.ofType('grant.revoked').some(({ body }) => body.data['reason'] === reason),
      reason,
    ).toBe(true);

  // What all that is told of a subject has, one time or another.
  const ofSubject = (subject: string) => webhookTypes.filter((described) => described.subject === subject);
  for (const subject of new Set(webhookTypes.map((described) => described.subject))) {
    const types = new Set(ofSubject(subject).map(({ type }) => type));
    const sent = received().flatMap(({ body }) => (types.has(body.type) ? Object.keys(body.data) : []));
    const shown = ofSubject(subject).flatMap(({ example }) => Object.keys(example['data'] ?? {}));
    expect([subject, ...new Set(sent)].toSorted()).toEqual([subject, ...new Set(shown)].toSorted());
  }

  const { rows } = await world.pool.query<{ type: string; lane: number }>(
    `select distinct m.type, d.lane from ${anyDelivery} d join message m using (platform, id) order by m.type`,
  );
  expect(rows).toEqual(
    webhookTypes
      .map(({ type, urgent }) => ({ type, lane: urgent ? revocationLane : firstLane }))
      .toSorted((one, other) => (one.type < other.type ? -1 : 1)),
  );
});

test('a stream of security events is told what somebody else makes of it, and nothing else of itself', async () => {
  const world = scene.world();
  const client = await world.client('a receiver');
  const stream = await world.endpoint({
    url: 'https://auth.example/arlo/ssf/poll',
    isVerified: false,
    client,
    types: typesOfSignals([]),
    signals: { method: 'poll', receiver: client, audience: 'a receiver', requested: [] },
  });
  await scene.worker();
  await record(
    world,
    stream.id,
    { type: 'webhook_endpoint.disabled', data: { reason: 'operator' } },
    { type: 'webhook_endpoint.enabled', data: {} },
    { type: 'webhook_endpoint.disabled', data: { reason: 'gone' } },
    { type: 'webhook_endpoint.enabled', data: {} },
    { type: 'webhook_endpoint.disabled', data: { reason: 'failing' } },
  );
  const told = async () =>
    (
      await world.pool.query<{ type: string; state: string; body: string }>(
        `select m.type, d.state, m.body from ${anyDelivery} d join message m using (platform, id) where d.endpoint = $1 order by m.position`,
        [stream.id],
      )
    ).rows;
  await until(told, (messages) => messages.length === 5);
  // Each time what is not true any more is given up.
  expect((await told()).map(({ type, state }) => [type, state])).toEqual([
    [verificationType, 'abandoned'],
    ['webhook_endpoint.disabled', 'abandoned'],
    [enabledType, 'abandoned'],
    [enabledType, 'abandoned'],
    ['webhook_endpoint.disabled', 'held'],
  ]);
  expect((await told()).flatMap(({ body }) => judgeWebhook(JSON.parse(body)))).toEqual([]);
});
