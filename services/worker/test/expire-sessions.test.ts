import { uuidv7 } from '@grantlog/crypto';
import type { AccountId, ClientStreamId, SessionId, SessionTerms, SignInId } from '@grantlog/domain';
import type { StreamId } from '@grantlog/eventsourcing';
import { readStream } from '@grantlog/postgres';
import { beforeEach, describe, expect, test } from 'vitest';
import { expireSessions } from '../src/sessions/expire-sessions.ts';
import { useScene } from './support/scene.ts';
import { clientIdOf, platform, until, type World } from './support/world.ts';

const linked = {
  type: 'session.linked',
  data: { account: '00000000-0003-8000-8000-000000000001' as AccountId, signIn: '01890000-0000-7000-8000-000000000001' as SignInId },
} as const;
const redeemed = { type: 'session.redeemed', data: {} } as const;

describe('sessions whose time is up', () => {
  const scene = useScene();
  let world: World;
  let client: ClientStreamId;
  beforeEach(async () => {
    world = scene.world();
    client = await world.client('agent');
  });

  const start = async (...later: Parameters<World['append']>[1][]): Promise<SessionId> => {
    const id = uuidv7(Date.now()) as SessionId;
    const terms: SessionTerms = {
      client,
      clientId: clientIdOf(client),
      via: 'init_signup',
      scopes: ['read'],
      resources: [],
      codeChallenge: null,
      expiresAt: Math.floor(Date.now() / 1000) + 5,
      intervalSeconds: 5,
      tokenKeyId: 1,
      tokenNonce: 'n'.repeat(43),
    };
    await world.append(id, { type: 'session.started', data: terms }, ...later);
    return id;
  };
  const waiting = async (): Promise<readonly string[]> =>
    (await world.pool.query<{ id: string }>('select session_id as id from dispatch_session order by session_id')).rows.map(({ id }) => id);
  const timeIsUp = () => new Promise((resolve) => setTimeout(resolve, 6_100));
  const context = () => ({ log: world.log, pool: world.pool, limit: 100 });
  const typesOf = async (id: StreamId) => (await readStream(world.pool, { platform, streamId: id })).map(({ type }) => type);

  test('end, once, whether nobody answered or no agent redeemed, and their own webhooks are told', async () => {
    const receiver = await scene.receiver();
    await scene.worker();
    const pending = await start();
    const unredeemed = await start(linked);
    await start(linked, redeemed);
    await world.endpoint({ url: receiver.url, types: ['session.expired'], client, session: pending });
    await until(waiting, (ids) => ids.length === 2);
    expect(await waiting()).toEqual([pending, unredeemed].sort());
    expect(await expireSessions(context())).toBe(0);

    await timeIsUp();
    const counts = await Promise.all(Array.from({ length: 4 }, () => expireSessions(context())));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2);
    expect(await typesOf(pending)).toEqual(['session.started', 'session.expired']);
    expect(await typesOf(unredeemed)).toEqual(['session.started', 'session.linked', 'session.expired']);
    const [told] = await until(
      () => receiver.ofType('session.expired'),
      (expired) => expired.length === 1,
    );
    expect(told?.body).toMatchObject({ type: 'session.expired', data: { sessionId: pending, sequence: 2 } });
    await until(waiting, (ids) => ids.length === 0);
    expect(await expireSessions(context())).toBe(0);
  });

  test.each([
    ['redeemed', [linked, redeemed]],
    ['denied', [{ type: 'session.denied', data: { reason: 'wrong_number', account: null } }]],
    ['revoked', [{ type: 'session.revoked', data: { reason: 'by_operator', by: null } }]],
  ])('are left as they are where they were %s, even by a worker that has not heard of it', async (_, later) => {
    const settled = await start(...later);
    const before = await typesOf(settled);
    await timeIsUp();
    await world.pool.query(`insert into dispatch_session values ($1, $2, now() - interval '1 second')`, [platform, settled]);
    expect(await expireSessions(context())).toBe(0);
    expect(await typesOf(settled)).toEqual(before);
    // Out of the way of those that are due, until the dispatcher comes to forget it.
    expect((await world.pool.query('select 1 from dispatch_session where expires_at <= now()')).rowCount).toBe(0);
  });

  test('wait for the log’s own clock: a row that is due too early is looked at again in time', async () => {
    await scene.worker();
    const early = await start();
    await until(waiting, (ids) => ids.length === 1);
    await world.pool.query(`update dispatch_session set expires_at = now() - interval '1 hour'`);
    expect(await expireSessions(context())).toBe(0);
    expect((await world.pool.query('select 1 from dispatch_session where expires_at > now()')).rowCount).toBe(1);
    await timeIsUp();
    expect(await expireSessions(context())).toBe(1);
    expect(await typesOf(early)).toEqual(['session.started', 'session.expired']);
  });
});
