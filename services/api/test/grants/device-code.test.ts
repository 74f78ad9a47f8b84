import { mintToken, parseToken, randomToken, uuidv7 } from '@grantlog/crypto';
import type { SessionId, SessionTerms } from '@grantlog/domain';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { denySession, revokeSessionAlone, sessionOf } from '../../../../test/support/link-session.ts';
import { foldKeyRing, foldPlatform, platformStreams } from '../../src/platforms/load-parties.ts';
import { sessionTokenOf } from '../../src/sessions/session-tokens.ts';
import { type DeviceWorld, openDeviceWorld, refusedWith } from './support/device-world.ts';

let world: DeviceWorld;
beforeAll(async () => {
  world = await openDeviceWorld(inject('databaseUrl'));
});
beforeEach(() => world.deps.pool.query('delete from attempt_bucket'));
afterAll(() => world.close());

describe('polling', () => {
  test('is told that nobody has decided, records nothing, and gets its tokens once somebody has', async () => {
    const code = await world.begin();
    const head = await world.head(world.platform);
    refusedWith(await world.poll(code), 'authorization_pending');
    expect(await world.typesAfter(head)).toEqual([]);
    await world.link(code);
    const answer = await world.poll(code);
    expect(answer).toMatchObject({
      status: 200,
      headers: { 'cache-control': 'no-store' },
      body: { token_type: 'Bearer', expires_in: 3600, scope: 'openid read' },
    });
    expect(Object.keys(answer.body).toSorted()).toEqual(['access_token', 'expires_in', 'id_token', 'refresh_token', 'scope', 'token_type']);
    expect(await world.typesAfter(head)).toEqual(['session.linked', 'grant.authorized', 'grant.code_redeemed', 'session.redeemed']);
  });

  test('writes the redemption of session and grant in one commit', async () => {
    const code = await world.begin();
    await world.link(code);
    const head = await world.head(world.platform);
    await world.poll(code);
    const events = await world.devices.eventsAfter(world.platform, head);
    expect(events.map(({ type }) => type)).toEqual(['grant.code_redeemed', 'session.redeemed']);
    expect(new Set(events.map(({ commitId }) => commitId)).size).toBe(1);
    expect(events[1]?.streamId).toBe(sessionOf(code));
  });

  test('is told to slow down when it comes too soon, and not once it has waited five seconds more', async () => {
    const code = await world.begin();
    refusedWith(await world.poll(code), 'authorization_pending');
    const soon = await world.poll(code);
    refusedWith(soon, 'slow_down');
    expect(soon).toMatchObject({ headers: { 'retry-after': '10' }, body: { error_description: expect.stringContaining('5 seconds') } });
    await world.deps.pool.query(`update attempt_bucket set at = at - interval '10 seconds'`);
    refusedWith(await world.poll(code), 'authorization_pending');
  });

  test('is told at once what has been decided, however soon it asks', async () => {
    const [allowed, denied] = [await world.begin(), await world.begin()];
    for (const code of [allowed, denied]) {
      await world.poll(code);
      refusedWith(await world.poll(code), 'slow_down');
    }
    await world.link(allowed);
    await denySession(world.deps, { platform: world.platform, sessionId: denied, account: world.accountId });
    expect((await world.poll(allowed)).status).toBe(200);
    refusedWith(await world.poll(denied), 'access_denied');
  });

  test('is told access_denied, as a 400, again and again', async () => {
    const code = await world.begin();
    await denySession(world.deps, { platform: world.platform, sessionId: code, account: world.accountId });
    for (let nth = 0; nth < 3; nth += 1) refusedWith(await world.poll(code), 'access_denied');
  });

  test('is told invalid_grant where the session was revoked, linked or not', async () => {
    const [pending, linked] = [await world.begin(), await world.begin()];
    await world.link(linked);
    for (const code of [pending, linked]) {
      await revokeSessionAlone(world.deps, { platform: world.platform, sessionId: code, account: world.accountId });
      refusedWith(await world.poll(code), 'invalid_grant');
    }
  });

  test('is not kept waiting for what will not come: a client whose grants were all revoked', async () => {
    const mine = await world.devices.client(world.platform);
    const code = await world.begin({}, mine);
    const stream = (await world.deps.directory.open(world.platform))?.client(mine.clientId) ?? ('' as never);
    const { version } = (await world.deps.log.load(world.platform, [{ streamId: stream }])).stream(stream);
    await world.deps.log.append(world.platform, {
      commitId: crypto.randomUUID() as never,
      writes: [{ streamId: stream, expected: version, events: [{ type: 'client.grants_revoked', data: { reason: 'test' } }] }],
      reads: [],
      actor: { kind: 'system', id: 'test' },
      correlationId: 'test',
    });
    refusedWith(await world.poll(code, {}, mine), 'invalid_grant');
    refusedWith(await world.poll(await world.begin({}, mine), {}, mine), 'authorization_pending');
  });
});

describe('a device code that has run out', () => {
  /** A session as `startSession` leaves it, whose time ends when the test says so. */
  const planted = async (expiresAt: number): Promise<string> => {
    const loaded = await world.deps.log.load(world.platform, platformStreams);
    const state = foldPlatform(loaded);
    if (state.status === 'none') throw new Error('no platform');
    const keys = await world.deps.keys.of(world.platform, foldKeyRing(loaded));
    const names = await world.deps.directory.open(world.platform);
    const session = uuidv7(loaded.now) as SessionId;
    const terms: SessionTerms = {
      client: names?.client(world.device.clientId) ?? ('' as never),
      clientId: world.device.clientId,
      via: 'device_authorization',
      scopes: ['openid', 'read'],
      resources: [],
      codeChallenge: null,
      expiresAt,
      intervalSeconds: 5,
      tokenKeyId: keys.mintingTokenKeyId,
      tokenNonce: randomToken(32),
    };
    await world.append(world.platform, session, { type: 'session.started', data: terms });
    return sessionTokenOf({ platform: world.platform, keys, session, terms }, 'session', state.document);
  };
  const seconds = (): number => Math.floor(Date.now() / 1000);

  test('is expired_token, answered or not, without anything being recorded', async () => {
    const unanswered = await planted(seconds() - 1);
    const head = await world.head(world.platform);
    refusedWith(await world.poll(unanswered), 'expired_token');
    expect(await world.typesAfter(head)).toEqual([]);
    const answered = await planted(seconds() + 5);
    await world.link(answered);
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    refusedWith(await world.poll(answered), 'expired_token');
  });

  test('is expired_token also when the worker has recorded it', async () => {
    const code = await planted(seconds() - 1);
    const id = sessionOf(code);
    await world.deps.log.append(world.platform, {
      commitId: crypto.randomUUID() as never,
      writes: [{ streamId: id, expected: 1, events: [{ type: 'session.expired', data: { at: Date.now() } }] }],
      reads: [],
      actor: { kind: 'system', id: 'test' },
      correlationId: 'test',
    });
    refusedWith(await world.poll(code), 'expired_token');
  });

  test('still ends its grant when it comes back after its redemption', async () => {
    const code = await planted(seconds() + 5);
    await world.link(code);
    expect((await world.poll(code)).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    const head = await world.head(world.platform);
    refusedWith(await world.poll(code), 'invalid_grant');
    expect(await world.typesAfter(head)).toEqual(['grant.code_replayed', 'grant.revoked']);
  });
});

describe('what is no device code of this client', () => {
  test('is invalid_grant, and costs its session nothing', async () => {
    const stranger = await world.devices.client(world.platform);
    const begun = await world.devices.begin(world.platform, world.device);
    const code = String(begun.body['device_code']);
    const linkToken = String(begun.body['verification_uri_complete']).split('/').at(-1) ?? '';
    for (const wrong of [linkToken, String(begun.body['user_code']), `${code.slice(0, -1)}x`, 'x', sessionOf(code)])
      refusedWith(await world.poll(wrong), 'invalid_grant');
    refusedWith(await world.poll(code, {}, stranger), 'invalid_grant');
    await world.link(code);
    refusedWith(await world.poll(code, {}, stranger), 'invalid_grant');
    refusedWith(await world.poll(linkToken), 'invalid_grant');
    expect((await world.poll(code)).status).toBe(200);
    const head = await world.head(world.platform);
    refusedWith(await world.poll(code, {}, stranger), 'invalid_grant');
    refusedWith(await world.poll(linkToken), 'invalid_grant');
    expect(await world.typesAfter(head)).toEqual([]);
  });

  test('is invalid_grant when somebody else made it, however well-formed and whichever session it names', async () => {
    const codes = [await world.begin(), await world.begin()];
    await world.link(codes[0] ?? '');
    for (const code of codes) {
      const parsed = parseToken(code);
      if (parsed === null) throw new Error('not a token of ours');
      const made = {
        prefix: parsed.prefix,
        kind: 'session',
        platform: world.platform,
        nonce: new Uint8Array(32),
        payload: parsed.payload,
      } as const;
      const forged = mintToken({ ...made, key: new Uint8Array(32) });
      expect(parseToken(forged)?.payload).toEqual(parsed.payload);
      refusedWith(await world.poll(forged), 'invalid_grant');
    }
    expect((await world.poll(codes[0] ?? '')).status).toBe(200);
  });

  test('is invalid_request where it is missing', async () => {
    refusedWith(await world.poll(''), 'invalid_request');
  });

  test('is nothing of another platform, whose client has the same id', async () => {
    const other = await world.devices.configure('twins');
    const twin = await world.devices.client(other, { clientId: world.device.clientId });
    const code = await world.begin();
    expect(await world.devices.poll(other, twin, code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    await world.link(code);
    expect(await world.devices.poll(other, twin, code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect((await world.poll(code)).status).toBe(200);
  });
});
