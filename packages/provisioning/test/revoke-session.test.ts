import { sessionStatus } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configurePlatform, type Provisioning, revokeSession, type SessionToRevoke, sessionGrant } from '../src/index.ts';
import { account, client, deny, link, otherClient, redeem, standing, startSession, stranger } from './support/sessions.ts';
import { by, createWorld, documentOf, openNode, platform, type World } from './support/world.ts';

let world: World;
let second: ReturnType<typeof openNode>;
beforeAll(async () => {
  world = await createWorld();
  second = openNode(world.url);
  await configurePlatform(world, by, documentOf());
});
afterAll(async () => {
  await second.close();
  await world.close();
});

const revoke = (of: Omit<SessionToRevoke, 'platform'>, node: Provisioning = world) => revokeSession(node, by, { platform, ...of });
const typesOf = async (id: Parameters<World['events']>[0]) => (await world.events(id)).map(({ type }) => type);

describe('a session that is revoked', () => {
  test('ends with its grant, in one commit', async () => {
    const session = await startSession(world);
    await link(world, session);
    await redeem(world, session);
    const revoked = await revoke({ session, reason: 'by_account', account });
    const ofSession = (await world.events(session)).at(-1);
    const ofGrant = (await world.events(sessionGrant(session))).at(-1);
    expect(ofSession).toMatchObject({ type: 'session.revoked', data: { reason: 'by_account', by: account } });
    expect(ofGrant).toMatchObject({ type: 'grant.revoked', data: { reason: 'by_account', by: account } });
    expect(ofGrant?.commitId).toBe(ofSession?.commitId);
    expect(revoked).toEqual({ changed: true, position: ofGrant?.position });
  });

  test('ends before anybody answered, and can be linked by nobody then', async () => {
    const session = await startSession(world);
    expect(await revoke({ session, reason: 'by_operator' })).toMatchObject({ changed: true });
    expect(await world.events(session)).toMatchObject([{ type: 'session.started' }, { data: { reason: 'by_operator', by: null } }]);
    expect(await link(world, session)).toBe('session_revoked');
    expect(await redeem(world, session)).toBe('session_revoked');
    expect(await world.events(sessionGrant(session))).toEqual([]);
  });

  test('ends between link and redemption, and can be redeemed by nobody then', async () => {
    const session = await startSession(world);
    await link(world, session);
    await revoke({ session, reason: 'by_client', client });
    expect(await redeem(world, session)).toBe('session_revoked');
    expect(await standing(world, session)).toMatchObject({ session: { status: 'ended' }, grant: { status: 'ended', reason: 'by_client' } });
  });

  test('stays as it ended, and asking again records nothing', async () => {
    const session = await startSession(world);
    await deny(world, session);
    const again = await revoke({ session, reason: 'by_operator' });
    expect(again).toMatchObject({ changed: false });
    expect(await standing(world, session)).toMatchObject({ session: { status: 'ended', reason: 'by_account' }, grant: { status: 'none' } });
    expect(await typesOf(session)).toEqual(['session.started', 'session.denied']);
  });

  test('leaves nothing of its grant alive, even where somebody recorded the end of the session alone', async () => {
    const session = await startSession(world);
    await link(world, session);
    await redeem(world, session);
    await world.log.append(platform, {
      commitId: crypto.randomUUID() as never,
      writes: [{ streamId: session, expected: 3, events: [{ type: 'session.revoked', data: { reason: 'by_operator', by: null } }] }],
      reads: [],
      ...by,
    });
    expect(await standing(world, session)).toMatchObject({ grant: { status: 'active' } });
    expect(await revoke({ session, reason: 'by_account', account })).toMatchObject({ changed: true });
    expect(await standing(world, session)).toMatchObject({ grant: { status: 'ended', reason: 'by_account' } });
  });

  test('is unknown to another account, to another client, and before it is anybody’s', async () => {
    const session = await startSession(world);
    const unknown = { refusal: 'unknown_session' };
    expect(await revoke({ session, reason: 'by_account', account })).toEqual(unknown);
    await link(world, session);
    expect(await revoke({ session, reason: 'by_account', account: stranger })).toEqual(unknown);
    expect(await revoke({ session, reason: 'by_client', client: otherClient })).toEqual(unknown);
    expect(await typesOf(session)).toEqual(['session.started', 'session.linked']);
    expect(await revoke({ session, reason: 'by_client', client })).toMatchObject({ changed: true });
  });

  test('is unknown on another platform, and no other stream is one', async () => {
    const elsewhere = 'practice' as PlatformId;
    await configurePlatform(world, by, documentOf({ name: elsewhere }));
    const session = await startSession(world);
    await link(world, session);
    const of = { session, reason: 'by_operator' } as const;
    expect(await revokeSession(world, by, { platform: elsewhere, ...of })).toEqual({ refusal: 'unknown_session' });
    expect(await revokeSession(world, by, { platform: 'nowhere' as PlatformId, ...of })).toEqual({ refusal: 'unknown_platform' });
    expect(await revoke({ ...of, session: sessionGrant(session) as never })).toEqual({ refusal: 'unknown_session' });
    expect(await standing(world, session)).toMatchObject({ session: { status: 'linked' }, grant: { status: 'authorized' } });
  });
});

describe('a session that many decide about at once, on two nodes', () => {
  const nodeOf = (index: number): Provisioning => (index % 2 === 0 ? world : second);
  const rounds = Array.from({ length: 8 }, (_, round) => round);

  test('is linked once by fifty clicks, and has one grant', async () => {
    const session = await startSession(world);
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, index) => link(nodeOf(index), session, index % 3 === 0 ? stranger : account)),
    );
    expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(1);
    expect(new Set(outcomes)).toEqual(new Set(['done', 'already_decided']));
    const { session: linked, grant } = await standing(world, session);
    expect(linked.status === 'linked' && grant.status === 'authorized' && grant.terms.account).toBe(
      linked.status === 'linked' && linked.account,
    );
    expect(await typesOf(sessionGrant(session))).toEqual(['grant.authorized']);
  });

  test('is either linked or denied', async () => {
    for (const _ of rounds) {
      const session = await startSession(world);
      const answers = Array.from({ length: 20 }, (__, index) => (index % 2 === 0 ? link : deny)(nodeOf(index >> 1), session));
      expect((await Promise.all(answers)).filter((outcome) => outcome === 'done')).toHaveLength(1);
      expect(await typesOf(session)).toHaveLength(2);
    }
  });

  test('is redeemed once by fifty polls', async () => {
    const session = await startSession(world);
    await link(world, session);
    const outcomes = await Promise.all(Array.from({ length: 50 }, (_, index) => redeem(nodeOf(index), session)));
    expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(1);
    expect(await typesOf(sessionGrant(session))).toEqual(['grant.authorized', 'grant.code_redeemed']);
  });

  test('that is revoked while it is linked and redeemed has nothing left alive, whoever was first', async () => {
    for (const round of rounds) {
      const session = await startSession(world);
      // Half of the rounds begin before the person's answer, half between answer and redemption.
      if (round % 2 === 0) await link(world, session);
      const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
      await Promise.all([
        ...Array.from({ length: 10 }, (_, index) => link(nodeOf(index), session)),
        ...Array.from({ length: 10 }, (_, index) => redeem(nodeOf(index + 1), session)),
        pause(round).then(() => revoke({ session, reason: 'by_operator' }, nodeOf(round))),
      ]);
      const { session: ended, grant } = await standing(world, session);
      expect(ended).toMatchObject({ status: 'ended', reason: 'revoked' });
      expect(['none', 'ended']).toContain(grant.status);
      expect(sessionStatus({ session: ended, grant, standing: 'good', now: Date.now() })).toBe('revoked');
      expect((await typesOf(session)).at(-1)).toBe('session.revoked');
      expect(await link(second, session)).toBe('session_revoked');
      expect(await redeem(second, session)).toBe('session_revoked');
    }
  });

  test('is revoked once by twenty who ask', async () => {
    const session = await startSession(world);
    await link(world, session);
    const asked = await Promise.all(
      Array.from({ length: 20 }, (_, index) => revoke({ session, reason: index % 2 === 0 ? 'by_operator' : 'by_account' }, nodeOf(index))),
    );
    expect(asked.filter((outcome) => 'changed' in outcome && outcome.changed)).toHaveLength(1);
    expect((await typesOf(session)).filter((type) => type === 'session.revoked')).toHaveLength(1);
    expect((await typesOf(sessionGrant(session))).filter((type) => type === 'grant.revoked')).toHaveLength(1);
  });
});
