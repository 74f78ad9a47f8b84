import { uuidv7 } from '@grantlog/crypto';
import type { ClientStreamId, GrantId } from '@grantlog/domain';
import { execute } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  changeEndpoint,
  commitOn,
  configurePlatform,
  listOwnEndpoints,
  type NewEndpoint,
  type Provisioning,
  registerClient,
  registerEndpoint,
  type WebhookManager,
} from '../src/index.ts';
import { by, createWorld, documentOf, openNode, platform } from './support/world.ts';

let world: Awaited<ReturnType<typeof createWorld>>;
let other: ReturnType<typeof openNode>;
beforeAll(async () => {
  world = await createWorld();
  await configurePlatform(world, by, documentOf());
  other = openNode(world.url);
});
afterAll(async () => {
  await other.close();
  await world.close();
});

const client = async (): Promise<ClientStreamId> => {
  const registered = await registerClient(world, by, {
    platform,
    clientId: null,
    kind: 'confidential',
    how: 'portal',
    name: 'An agent',
    redirectUris: [],
    grantTypes: ['client_credentials'],
    scopes: null,
    authMethods: null,
    idTokenAlg: null,
    serves: [],
    roles: [],
    approval: 'approved',
    secret: null,
  });
  if (registered.kind === 'refused') throw new Error(registered.refusal);
  return registered.stream;
};
/** A grant of a client, as far as endpoints ask about it. */
const grantOf = async (of: ClientStreamId): Promise<GrantId> => {
  const streamId = uuidv7(Date.now()) as GrantId;
  const events = [{ type: 'grant.authorized', data: { client: of } }];
  await execute({
    log: world.log,
    platform,
    requests: [{ streamId }],
    decide: (loaded) => ({ commit: commitOn(loaded, by, { writes: [{ streamId, events }] }), outcome: null }),
  });
  return streamId;
};
const register = (manager: WebhookManager, more: Partial<NewEndpoint> = {}, node: Provisioning = world) =>
  registerEndpoint(node, by, {
    platform,
    manager,
    clientId: null,
    grants: null,
    url: 'https://agent.example/hook',
    types: null,
    ordered: false,
    concurrency: 8,
    description: '',
    signature: 'v1',
    webhookToken: 'a-token',
    headers: { 'x-key': 'a-key' },
    isDevelopment: false,
    ...more,
  });
const credentials = async (): Promise<number> => (await world.pool.query('select from credential')).rowCount ?? 0;

describe('endpoints that are registered by those who hear them', () => {
  test.each([
    ['a client', 20, async (): Promise<WebhookManager> => ({ kind: 'client', client: await client() })],
    [
      'a grant',
      5,
      async (): Promise<WebhookManager> => {
        const owner = await client();
        return { kind: 'grant', client: owner, grant: await grantOf(owner) };
      },
    ],
  ] as const)('are of %s %i, however many processes register at once', async (_, most, open) => {
    const manager = await open();
    const before = await credentials();
    const registered = await Promise.all(Array.from({ length: 50 }, (__, nth) => register(manager, {}, nth % 2 === 0 ? world : other)));
    const made = registered.flatMap((each) => ('endpoint' in each ? [each.endpoint] : []));
    expect(made).toHaveLength(most);
    expect(new Set(registered.flatMap((each) => ('refusal' in each ? [each.refusal] : [])))).toEqual(new Set(['too_many_endpoints']));
    const names = await world.names();
    expect(await listOwnEndpoints(world, { names, manager })).toEqual(made.toSorted());
    // Those who came too late have stored at most what they had prepared; who comes later still stores nothing.
    const after = await credentials();
    expect(after).toBeGreaterThanOrEqual(before + 3 * most);
    expect(await register(manager)).toEqual({ refusal: 'too_many_endpoints' });
    expect(await credentials()).toBe(after);

    // A deletion, whoever's, gives one place back, once.
    const [first, second] = made;
    if (first === undefined || second === undefined) throw new Error('nothing was made');
    const end = (endpoint: typeof first, as: WebhookManager) =>
      changeEndpoint(world, by, { platform, endpoint, manager: as, command: { type: 'delete' }, isDevelopment: false });
    expect(await end(first, manager)).toMatchObject({ changed: true });
    expect(await end(second, { kind: 'operator' })).toMatchObject({ changed: true });
    expect(await end(second, { kind: 'operator' })).toMatchObject({ changed: false });
    expect(await end(first, manager)).toEqual({ refusal: 'unknown_endpoint' });
    const again = await Promise.all(Array.from({ length: 10 }, (__, nth) => register(manager, {}, nth % 2 === 0 ? world : other)));
    expect(again.filter((each) => 'endpoint' in each)).toHaveLength(2);
  });

  test('of operators are not counted, and of others each for itself', async () => {
    const [one, another] = [await client(), await client()];
    for (let nth = 0; nth < 20; nth += 1) await register({ kind: 'client', client: one });
    expect(await register({ kind: 'client', client: one })).toEqual({ refusal: 'too_many_endpoints' });
    for (const manager of [
      { kind: 'operator' },
      { kind: 'client', client: another },
      { kind: 'grant', client: one, grant: await grantOf(one) },
    ] as const)
      expect(await register(manager)).toHaveProperty('endpoint');
  });

  test('hear nobody else than who registers them', async () => {
    const [mine, theirs] = [await client(), await client()];
    const [own, sibling, foreign] = [await grantOf(mine), await grantOf(mine), await grantOf(theirs)];
    const asClient: WebhookManager = { kind: 'client', client: mine };
    const asGrant: WebhookManager = { kind: 'grant', client: mine, grant: own };
    expect(await register(asClient, { grants: [own, sibling] })).toHaveProperty('endpoint');
    expect(await register(asGrant, { grants: [own] })).toHaveProperty('endpoint');
    for (const [manager, grants] of [
      [asClient, [foreign]],
      [asClient, [own, foreign]],
      [asClient, [uuidv7(Date.now()) as GrantId]],
      [asGrant, [sibling]],
      [asGrant, [own, sibling]],
      [asGrant, []],
    ] as const)
      expect(await register(manager, { grants })).toEqual({ refusal: 'grants_unknown' });
  });
});
