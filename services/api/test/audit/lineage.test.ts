import { uuidv7 } from '@grantlog/crypto';
import type { GrantId } from '@grantlog/domain';
import type { StreamId } from '@grantlog/eventsourcing';
import { revokeGrant } from '@grantlog/provisioning';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createWorld, type Json, type World } from '../management/support/world.ts';
import { indexEvents } from './support/index-events.ts';

const by = { actor: { kind: 'operator', id: 'somebody' }, correlationId: 'test' } as const;

let world: World;
let auditor: string;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  auditor = await (await world.machine(['auditor'])).token({ scope: 'audit' });
});
afterAll(() => world.close());

test('what one authorization led to is its sign-in, its tokens, what was exchanged for them and its end', async () => {
  const platform = world.arlo;
  const client = await world.machine([], { platform });
  const person = await world.account(platform);
  const of = { platform, client: client.stream, clientId: client.clientId, account: person.id, scopes: ['read'] };
  const signIn = uuidv7(Date.now()) as StreamId;
  await world.append(platform, signIn, { type: 'sign_in.succeeded', data: { account: person.id, method: 'password', amr: ['pwd'] } });
  const base = await world.grant(of);
  const unrelated = await world.grant(of);
  /** Grants as token exchange opens them: each names everything that it stands on. */
  const exchange = async (...sources: readonly GrantId[]): Promise<GrantId> => {
    const id = uuidv7(Date.now()) as GrantId;
    const second = Math.floor(Date.now() / 1000);
    const issue = {
      sequence: 1,
      issuedAt: Date.now(),
      accessExpiresAt: second + 600,
      refreshExpiresAt: null,
      scopes: [0],
      resource: null,
      tokenKeyId: 1,
    };
    const delegation = { actors: ['agent'], sources: sources.map((grant) => ({ grant, sequence: 1, expiresAt: 2_000_000_000, key: 1 })) };
    await world.append(platform, id, {
      type: 'grant.authorized',
      data: { ...base.terms, flow: 'token_exchange', signIn, delegation, code: null, issue },
    });
    return id;
  };
  const child = await exchange(base.id);
  const grandchild = await exchange(child, base.id);
  const ofOther = await exchange(unrelated.id);
  await revokeGrant(world.deps.provisioning, by, { platform, grant: base.id });
  await indexEvents(world);
  const ask = async (id: string, at = 'arlo') => world.call(auditor, 'GET', `/${at}/audit/grants/${id}/lineage`);
  const { status, body, text } = await ask(base.id);
  expect(status, text).toBe(200);
  expect(body).toMatchObject({ grantId: base.id, exchanged: [child, grandchild], isWhole: true, deliveries: [] });
  expect((body['events'] as readonly Json[]).map(({ type, streamId }) => [type, streamId])).toEqual([
    ['grant.authorized', base.id],
    ['grant.authorized', child],
    ['grant.authorized', grandchild],
    ['grant.revoked', base.id],
  ]);
  expect(text).not.toContain(ofOther);
  // What was exchanged has a lineage of its own, from the sign-in on.
  const own = (await ask(child)).body;
  expect([own['exchanged'], (own['events'] as readonly Json[]).map(({ type }) => type)]).toEqual([
    [grandchild],
    ['sign_in.succeeded', 'grant.authorized', 'grant.authorized'],
  ]);
  for (const answer of [await ask(base.id, 'along'), await ask(signIn), await ask('nonsense')])
    expect(answer.body).toMatchObject({ status: 404, code: 'unknown_grant' });
});
