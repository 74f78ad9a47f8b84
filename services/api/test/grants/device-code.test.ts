import { mintToken, parseToken, randomToken, s256, uuidv7 } from '@grantlog/crypto';
import type { AccountId, SessionId, SessionTerms } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { denySession, linkSession, revokeSessionAlone, sessionOf } from '../../../../test/support/link-session.ts';
import { foldKeyRing, foldPlatform, platformStreams } from '../../src/platforms/load-parties.ts';
import { sessionTokenOf } from '../../src/sessions/session-tokens.ts';
import { createWorld, type World } from '../management/support/world.ts';
import { type Answer, createDevices, type Device, type Devices } from '../sessions/support/devices.ts';

let world: World;
let devices: Devices;
let platform: PlatformId;
let device: Device;
let account: AccountId;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  devices = createDevices(world);
  platform = await devices.configure('gadgets');
  device = await devices.client(platform);
  account = (await world.account(platform)).id;
});
beforeEach(() => world.deps.pool.query('delete from attempt_bucket'));
afterAll(() => world.close());

type Fields = Readonly<Record<string, string>>;
const begin = async (fields: Fields = {}, by = device): Promise<string> => {
  const answer = await devices.begin(platform, by, fields);
  expect(answer.status).toBe(200);
  return String(answer.body['device_code']);
};
const poll = (deviceCode: string, fields: Fields = {}, by = device): Promise<Answer> => devices.poll(platform, by, deviceCode, fields);
const link = (sessionId: string, by = account): Promise<void> => linkSession(world.deps, { platform, sessionId, account: by });
const refusedWith = (answer: Answer, error: string): void =>
  expect(answer).toMatchObject({
    status: 400,
    headers: { 'cache-control': 'no-store' },
    body: { error, error_description: expect.any(String) },
  });
const introspect = async (token: unknown, by: Device) =>
  (
    await devices.send(
      `/${platform}/oauth/introspect`,
      { token: String(token) },
      { authorization: `Basic ${btoa(`${by.clientId}:${by.secret}`)}` },
    )
  ).body;
const typesAfter = async (position: number): Promise<readonly string[]> =>
  (await devices.eventsAfter(platform, position)).map(({ type }) => type);
const pkce = () => {
  const verifier = randomToken(32);
  return { verifier, fields: { code_challenge: s256(verifier), code_challenge_method: 'S256' } };
};

describe('polling', () => {
  test('is told that nobody has decided, records nothing, and gets its tokens once somebody has', async () => {
    const code = await begin();
    const head = await world.head(platform);
    refusedWith(await poll(code), 'authorization_pending');
    expect(await typesAfter(head)).toEqual([]);
    await link(code);
    const answer = await poll(code);
    expect(answer).toMatchObject({
      status: 200,
      headers: { 'cache-control': 'no-store' },
      body: { token_type: 'Bearer', expires_in: 3600, scope: 'openid read' },
    });
    expect(Object.keys(answer.body).toSorted()).toEqual(['access_token', 'expires_in', 'id_token', 'refresh_token', 'scope', 'token_type']);
    expect(await typesAfter(head)).toEqual(['session.linked', 'grant.authorized', 'grant.code_redeemed', 'session.redeemed']);
  });

  test('writes the redemption of session and grant in one commit', async () => {
    const code = await begin();
    await link(code);
    const head = await world.head(platform);
    await poll(code);
    const events = await devices.eventsAfter(platform, head);
    expect(events.map(({ type }) => type)).toEqual(['grant.code_redeemed', 'session.redeemed']);
    expect(new Set(events.map(({ commitId }) => commitId)).size).toBe(1);
    expect(events[1]?.streamId).toBe(sessionOf(code));
  });

  test('is told to slow down when it comes too soon, and not once it has waited five seconds more', async () => {
    const code = await begin();
    refusedWith(await poll(code), 'authorization_pending');
    const soon = await poll(code);
    refusedWith(soon, 'slow_down');
    expect(soon).toMatchObject({ headers: { 'retry-after': '10' }, body: { error_description: expect.stringContaining('5 seconds') } });
    await world.deps.pool.query(`update attempt_bucket set at = at - interval '10 seconds'`);
    refusedWith(await poll(code), 'authorization_pending');
  });

  test('is told at once what has been decided, however soon it asks', async () => {
    const [allowed, denied] = [await begin(), await begin()];
    for (const code of [allowed, denied]) {
      await poll(code);
      refusedWith(await poll(code), 'slow_down');
    }
    await link(allowed);
    await denySession(world.deps, { platform, sessionId: denied, account });
    expect((await poll(allowed)).status).toBe(200);
    refusedWith(await poll(denied), 'access_denied');
  });

  test('is told access_denied, as a 400, again and again', async () => {
    const code = await begin();
    await denySession(world.deps, { platform, sessionId: code, account });
    for (let nth = 0; nth < 3; nth += 1) refusedWith(await poll(code), 'access_denied');
  });

  test('is told invalid_grant where the session was revoked, linked or not', async () => {
    const [pending, linked] = [await begin(), await begin()];
    await link(linked);
    for (const code of [pending, linked]) {
      await revokeSessionAlone(world.deps, { platform, sessionId: code, account });
      refusedWith(await poll(code), 'invalid_grant');
    }
  });

  test('is not kept waiting for what will not come: a client whose grants were all revoked', async () => {
    const mine = await devices.client(platform);
    const code = await begin({}, mine);
    const stream = (await world.deps.directory.open(platform))?.client(mine.clientId) ?? ('' as never);
    const { version } = (await world.deps.log.load(platform, [{ streamId: stream }])).stream(stream);
    await world.deps.log.append(platform, {
      commitId: crypto.randomUUID() as never,
      writes: [{ streamId: stream, expected: version, events: [{ type: 'client.grants_revoked', data: { reason: 'test' } }] }],
      reads: [],
      actor: { kind: 'system', id: 'test' },
      correlationId: 'test',
    });
    refusedWith(await poll(code, {}, mine), 'invalid_grant');
    refusedWith(await poll(await begin({}, mine), {}, mine), 'authorization_pending');
  });
});

describe('a device code that has run out', () => {
  /** A session as `startSession` leaves it, whose time ends when the test says so. */
  const planted = async (expiresAt: number): Promise<string> => {
    const loaded = await world.deps.log.load(platform, platformStreams);
    const state = foldPlatform(loaded);
    if (state.status === 'none') throw new Error('no platform');
    const keys = await world.deps.keys.of(platform, foldKeyRing(loaded));
    const names = await world.deps.directory.open(platform);
    const session = uuidv7(loaded.now) as SessionId;
    const terms: SessionTerms = {
      client: names?.client(device.clientId) ?? ('' as never),
      clientId: device.clientId,
      via: 'device_authorization',
      scopes: ['openid', 'read'],
      resources: [],
      codeChallenge: null,
      expiresAt,
      intervalSeconds: 5,
      tokenKeyId: keys.mintingTokenKeyId,
      tokenNonce: randomToken(32),
    };
    await world.append(platform, session, { type: 'session.started', data: terms });
    return sessionTokenOf({ platform, keys, session, terms }, 'session', state.document);
  };
  const seconds = (): number => Math.floor(Date.now() / 1000);

  test('is expired_token, answered or not, without anything being recorded', async () => {
    const unanswered = await planted(seconds() - 1);
    const head = await world.head(platform);
    refusedWith(await poll(unanswered), 'expired_token');
    expect(await typesAfter(head)).toEqual([]);
    const answered = await planted(seconds() + 5);
    await link(answered);
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    refusedWith(await poll(answered), 'expired_token');
  });

  test('is expired_token also when the worker has recorded it', async () => {
    const code = await planted(seconds() - 1);
    const id = sessionOf(code);
    await world.deps.log.append(platform, {
      commitId: crypto.randomUUID() as never,
      writes: [{ streamId: id, expected: 1, events: [{ type: 'session.expired', data: { at: Date.now() } }] }],
      reads: [],
      actor: { kind: 'system', id: 'test' },
      correlationId: 'test',
    });
    refusedWith(await poll(code), 'expired_token');
  });

  test('still ends its grant when it comes back after its redemption', async () => {
    const code = await planted(seconds() + 5);
    await link(code);
    expect((await poll(code)).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    const head = await world.head(platform);
    refusedWith(await poll(code), 'invalid_grant');
    expect(await typesAfter(head)).toEqual(['grant.code_replayed', 'grant.revoked']);
  });
});

describe('redemption', () => {
  test('happens once: a second one ends the grant and every token of it', async () => {
    const mine = await devices.client(platform, { kind: 'confidential' });
    const code = await begin({}, mine);
    await link(code);
    const { access_token: access, refresh_token: refresh } = (await poll(code, {}, mine)).body;
    expect(await introspect(access, mine)).toMatchObject({ active: true, sub: account });
    const head = await world.head(platform);
    refusedWith(await poll(code, {}, mine), 'invalid_grant');
    expect(await typesAfter(head)).toEqual(['grant.code_replayed', 'grant.revoked']);
    expect(await introspect(access, mine)).toEqual({ active: false });
    const refreshed = await devices.send(
      `/${platform}/oauth/token`,
      { grant_type: 'refresh_token', refresh_token: String(refresh) },
      { authorization: `Basic ${btoa(`${mine.clientId}:${mine.secret}`)}` },
    );
    refusedWith(refreshed, 'invalid_grant');
    refusedWith(await poll(code, {}, mine), 'invalid_grant');
    expect(await typesAfter(head)).toHaveLength(2);
  });

  test('needs the verifier of the challenge, and nothing is spent by a wrong one, before or after', async () => {
    const { verifier, fields } = pkce();
    const code = await begin(fields);
    await link(code);
    const head = await world.head(platform);
    refusedWith(await poll(code), 'invalid_grant');
    refusedWith(await poll(code, { code_verifier: 'a'.repeat(43) }), 'invalid_grant');
    refusedWith(await poll(code, { code_verifier: 'short' }), 'invalid_request');
    expect(await typesAfter(head)).toEqual([]);
    expect((await poll(code, { code_verifier: verifier })).status).toBe(200);
    const redeemed = await world.head(platform);
    refusedWith(await poll(code, { code_verifier: 'a'.repeat(43) }), 'invalid_grant');
    expect(await typesAfter(redeemed)).toEqual([]);
  });

  test('refuses a verifier that no challenge asked for (RFC 9700 §4.8.2)', async () => {
    const code = await begin();
    await link(code);
    refusedWith(await poll(code, { code_verifier: 'a'.repeat(43) }), 'invalid_grant');
    expect((await poll(code)).status).toBe(200);
  });

  test('narrows what was granted and never widens it', async () => {
    const code = await begin();
    await link(code);
    refusedWith(await poll(code, { scope: 'read write' }), 'invalid_scope');
    refusedWith(await poll(code, { resource: 'https://elsewhere.example' }), 'invalid_target');
    expect((await poll(code, { scope: 'read' })).body['scope']).toBe('read');
  });

  test('gives tokens of the person who linked it, refreshed as any others', async () => {
    const mine = await devices.client(platform, { kind: 'confidential' });
    const other = (await world.account(platform)).id;
    const code = await begin({}, mine);
    await link(code, other);
    const { refresh_token: refresh } = (await poll(code, {}, mine)).body;
    const refreshed = await devices.send(
      `/${platform}/oauth/token`,
      { grant_type: 'refresh_token', refresh_token: String(refresh) },
      { authorization: `Basic ${btoa(`${mine.clientId}:${mine.secret}`)}` },
    );
    expect(refreshed.status).toBe(200);
    expect(await introspect(refreshed.body['access_token'], mine)).toMatchObject({
      active: true,
      sub: other,
      aud: 'https://gadgets.example/api',
    });
  });
});

test('the end of a session ends the tokens that it came to, whatever is recorded of its grant', async () => {
  const mine = await devices.client(platform, { kind: 'confidential' });
  const code = await begin({}, mine);
  await link(code);
  const { access_token: access, refresh_token: refresh } = (await poll(code, {}, mine)).body;
  await revokeSessionAlone(world.deps, { platform, sessionId: code, account });
  expect(await introspect(access, mine)).toEqual({ active: false });
  const form = { grant_type: 'refresh_token', refresh_token: String(refresh) };
  refusedWith(
    await devices.send(`/${platform}/oauth/token`, form, { authorization: `Basic ${btoa(`${mine.clientId}:${mine.secret}`)}` }),
    'invalid_grant',
  );
  refusedWith(await poll(code, {}, mine), 'invalid_grant');
});

describe('what is no device code of this client', () => {
  test('is invalid_grant, and costs its session nothing', async () => {
    const stranger = await devices.client(platform);
    const begun = await devices.begin(platform, device);
    const code = String(begun.body['device_code']);
    const linkToken = String(begun.body['verification_uri_complete']).split('/').at(-1) ?? '';
    for (const wrong of [linkToken, String(begun.body['user_code']), `${code.slice(0, -1)}x`, 'x', sessionOf(code)])
      refusedWith(await poll(wrong), 'invalid_grant');
    refusedWith(await poll(code, {}, stranger), 'invalid_grant');
    await link(code);
    refusedWith(await poll(code, {}, stranger), 'invalid_grant');
    refusedWith(await poll(linkToken), 'invalid_grant');
    expect((await poll(code)).status).toBe(200);
    const head = await world.head(platform);
    refusedWith(await poll(code, {}, stranger), 'invalid_grant');
    refusedWith(await poll(linkToken), 'invalid_grant');
    expect(await typesAfter(head)).toEqual([]);
  });

  test('is invalid_grant when somebody else made it, however well-formed and whichever session it names', async () => {
    const codes = [await begin(), await begin()];
    await link(codes[0] ?? '');
    for (const code of codes) {
      const parsed = parseToken(code);
      if (parsed === null) throw new Error('not a token of ours');
      const made = { prefix: parsed.prefix, kind: 'session', platform, nonce: new Uint8Array(32), payload: parsed.payload } as const;
      const forged = mintToken({ ...made, key: new Uint8Array(32) });
      expect(parseToken(forged)?.payload).toEqual(parsed.payload);
      refusedWith(await poll(forged), 'invalid_grant');
    }
    expect((await poll(codes[0] ?? '')).status).toBe(200);
  });

  test('is invalid_request where it is missing', async () => {
    refusedWith(await poll(''), 'invalid_request');
  });

  test('is nothing of another platform, whose client has the same id', async () => {
    const other = await devices.configure('twins');
    const twin = await devices.client(other, { clientId: device.clientId });
    const code = await begin();
    expect(await devices.poll(other, twin, code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    await link(code);
    expect(await devices.poll(other, twin, code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect((await poll(code)).status).toBe(200);
  });
});

test('a disabled account, client or platform gives nothing for a linked device code, and a suspension ends', async () => {
  const person = (await world.account(platform)).id;
  const code = await begin();
  await link(code, person);
  const operator = await world.operator('operator');
  const manage = async (path: string): Promise<void> => {
    expect((await world.call(operator, 'POST', path, {})).status).toBe(200);
  };
  const waiting = await begin();
  await manage(`/system/manage/platforms/${platform}/suspend`);
  expect(await poll(waiting)).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
  expect(await poll(code)).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
  await manage(`/system/manage/platforms/${platform}/resume`);
  await manage(`/${platform}/manage/accounts/${person}/disable`);
  refusedWith(await poll(code), 'invalid_grant');
  await manage(`/${platform}/manage/accounts/${person}/enable`);
  expect((await poll(code)).status).toBe(200);
});
