import { standingId, uuidv7 } from '@grantlog/crypto';
import {
  type ClientStreamId,
  clientDecider,
  type GrantTerms,
  grantDecider,
  parsePlatformDocument,
  platformStream,
  standingKinds,
} from '@grantlog/domain';
import type { NewEvent, StreamId } from '@grantlog/eventsourcing';
import { execute, fold } from '@grantlog/eventsourcing';
import { readStream } from '@grantlog/postgres';
import { commitOn } from '@grantlog/provisioning';
import { clientList } from '@grantlog/read-models';
import { beforeEach, describe, expect, test } from 'vitest';
import { reapClients } from '../src/clients/reap-clients.ts';
import { runProjections } from '../src/subscriptions/projections.ts';
import { useScene } from './support/scene.ts';
import { clientIdOf, platform, until, type World } from './support/world.ts';

const second = 1 / 86_400;

describe('clients that registered themselves and that nobody ever used', () => {
  const scene = useScene();
  let world: World;
  beforeEach(() => {
    world = scene.world();
  });

  /** Days are whole in a document; a test that waits for one would not be run. */
  const waitDays = async (unusedClientDays: number): Promise<void> => {
    const parsed = parsePlatformDocument({ name: platform, displayName: 'Arlo', scopes: [{ name: 'read', description: 'Read' }] });
    if (!parsed.ok) throw new Error('the document is good');
    const { document } = parsed;
    const registration = { ...document.registration, unusedClientDays };
    await world.append(platformStream, { type: 'platform.configured', data: { document: { ...document, registration } } });
  };
  const register = async (how: 'dynamic' | 'portal' | 'metadata_document', ...later: readonly NewEvent[]): Promise<ClientStreamId> => {
    const id = standingId(standingKinds.client) as ClientStreamId;
    const data = {
      ...{ clientId: clientIdOf(id), kind: 'public', how, name: 'An app', redirectUris: ['https://a.example/cb'] },
      ...{ grantTypes: ['authorization_code'], scopes: null, authMethods: ['none'], idTokenAlg: null, serves: [], roles: [] },
      ...{ owner: null, secretCredential: null, approval: 'approved', tokenNonce: 'n'.repeat(43) },
    };
    await world.append(id, { type: 'client.registered', data }, ...later);
    return id;
  };
  const listing = () => {
    const runner = runProjections({
      pool: world.pool,
      projections: [clientList],
      runner: { listenUrl: world.url, onFailure: ({ error }) => expect(error).toBeUndefined() },
      onError: (error) => expect(error).toBeUndefined(),
    });
    scene.atEnd(runner.stop);
  };
  const listed = async (): Promise<number> => (await world.pool.query('select 1 from client_list')).rowCount ?? 0;
  const context = () => ({ log: world.log, pool: world.pool, limit: 100 });
  const typesOf = async (id: StreamId) => (await readStream(world.pool, { platform, streamId: id })).map(({ type }) => type);
  const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  test('end when the days of their platform are over, once, whoever looks; no others do', async () => {
    await waitDays(second);
    listing();
    const others = [await register('portal'), await register('metadata_document')];
    const unused = await register('dynamic');
    const disabled = await register('dynamic', { type: 'client.disabled', data: { reason: 'abuse' } });
    const used = await register('dynamic', { type: 'client.used', data: {} });
    await until(listed, (rows) => rows === 5);
    await pass(1_100);
    // Those that never end take no room among those that do.
    const counts = await Promise.all(Array.from({ length: 4 }, () => reapClients({ ...context(), limit: 2 })));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2);
    expect(await typesOf(unused)).toEqual(['client.registered', 'client.deleted']);
    expect(await typesOf(disabled)).toEqual(['client.registered', 'client.disabled', 'client.deleted']);
    expect(await typesOf(used)).toEqual(['client.registered', 'client.used']);
    for (const id of others) expect(await typesOf(id)).toEqual(['client.registered']);
    const [ended] = (await readStream(world.pool, { platform, streamId: unused })).slice(-1);
    expect(ended).toMatchObject({ data: { reason: 'unused' }, actor: { kind: 'system', id: 'reaper' } });
    // They leave the reaper's list with it.
    await until(
      async () => (await world.pool.query(`select 1 from client_list where how = 'dynamic' and not used and status <> 'deleted'`)).rowCount,
      (rows) => rows === 0,
    );
  });

  test('wait as long as the document says now, by the clock of the log', async () => {
    await waitDays(7);
    listing();
    const client = await register('dynamic');
    await until(listed, (rows) => rows === 1);
    await pass(1_100);
    expect(await reapClients(context())).toBe(0);
    await waitDays(second);
    expect(await reapClients(context())).toBe(1);
    expect(await typesOf(client)).toEqual(['client.registered', 'client.deleted']);
  });

  test('stay where the log knows better than the list: of a use, or of when they came', async () => {
    await waitDays(0.5);
    const used = await register('dynamic', { type: 'client.used', data: {} });
    const young = await register('dynamic');
    await world.pool.query(`insert into projection (name, platform, live_generation, live_version) values ('client-list', $1, 1, 2)`, [
      platform,
    ]);
    await world.pool.query(
      `insert into client_list (platform, generation, client, version, first_position, position, client_id, name, kind, how, status, approval,
         has_proposal, registered_at, used)
       select $1, 1, c, 1, 1, 1, 'x', 'x', 'public', 'dynamic', 'active', 'approved', false, now() - interval '1 day', false
       from unnest($2::uuid[]) as c`,
      [platform, [used, young]],
    );
    expect(await reapClients(context())).toBe(0);
    expect([await typesOf(used), await typesOf(young)]).toEqual([['client.registered', 'client.used'], ['client.registered']]);
  });

  test('are never ended once a person has granted them something, however close the two come', async () => {
    await waitDays(second);
    listing();
    const clients = await Promise.all(Array.from({ length: 40 }, async () => register('dynamic')));
    await until(listed, (rows) => rows === clients.length);
    await pass(1_100);

    /** What a consent writes: the grant, and that its client is in use, in one commit. */
    const consent = async (client: ClientStreamId, delay: number): Promise<boolean> => {
      await pass(delay);
      const grant = uuidv7(Date.now()) as StreamId;
      const { appended } = await execute({
        log: world.log,
        platform,
        requests: [{ streamId: client }, { streamId: grant }],
        decide: (loaded) => {
          const state = fold(clientDecider, loaded.stream(client));
          if (state.status !== 'active') return { commit: null, outcome: null };
          const terms: GrantTerms = {
            ...{ flow: 'authorization_code' as const, client, clientId: clientIdOf(client), account: null, session: null, signIn: null },
            ...{ scopes: ['read'], resources: [], authTime: null, tokenNonce: 'n'.repeat(43) },
          };
          const code = {
            ...{ expiresAt: 9_999_999_999, redirectUri: 'https://a.example/cb', redirectUriSent: true },
            ...{ codeChallenge: null, tokenKeyId: 1, nonce: null },
          };
          const { events } = grantDecider.decide({ type: 'authorize', terms, code, context: null }, grantDecider.initial);
          const used = clientDecider.decide({ type: 'use' }, state).events;
          const by = { actor: { kind: 'system', id: 'test' }, correlationId: 'test' } as const;
          const writes = [
            { streamId: grant, events },
            { streamId: client, events: used },
          ];
          return { commit: commitOn(loaded, by, { writes, reads: [client] }), outcome: null };
        },
      });
      return appended !== null;
    };
    // The first come before the reaper, the last after it, and all the others in its midst.
    const before = await Promise.all(clients.slice(0, 4).map((client) => consent(client, 0)));
    const reaping = Promise.all(Array.from({ length: 3 }, () => reapClients(context())));
    const amidst = Promise.all(clients.slice(4, -4).map((client, index) => consent(client, index * 2)));
    const reaped = (await reaping).reduce((sum, count) => sum + count, 0);
    const after = await Promise.all(clients.slice(-4).map((client) => consent(client, 0)));
    const consents = [...before, ...(await amidst), ...after];

    const ends = await Promise.all(clients.map(async (client, index) => ({ granted: consents[index], types: await typesOf(client) })));
    for (const { granted, types } of ends) expect(types).toEqual(['client.registered', granted ? 'client.used' : 'client.deleted']);
    expect([before.includes(false), after.includes(true)]).toEqual([false, false]);
    expect(reaped).toBe(consents.filter((granted) => !granted).length);
  });
});
