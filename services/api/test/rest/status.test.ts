import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { denySession, linkSession, sessionOf } from '../../../../test/support/link-session.ts';
import { checkAccountStatus } from '../../src/agent/check-account-status.ts';
import { type AgentWorld, createAgentWorld, forge, problemOf, publicUrl } from './support/agents.ts';

let world: AgentWorld;
beforeAll(async () => {
  world = await createAgentWorld(inject('databaseUrl'));
});
beforeEach(() => world.deps.pool.query('delete from attempt_bucket'));
afterAll(() => world.close());

const statusOf = (sessionId: string, token?: string, at?: string) =>
  world.rest('POST', '/signup/status', {
    body: { sessionId },
    ...(token === undefined ? {} : { token }),
    ...(at === undefined ? {} : { at }),
  });
const accountStatus = (token?: string, at?: string) =>
  world.rest('GET', '/account-status', { ...(token === undefined ? {} : { token }), ...(at === undefined ? {} : { at }) });

const tokenEndpoint = `${publicUrl}/arlo-health/oauth/token`;
const grantType = 'urn:ietf:params:oauth:grant-type:device_code';

describe('a session, by its sessionId alone', () => {
  test('is pending until somebody decides', async () => {
    const { body } = await world.begin();
    const sessionId = String(body['sessionId']);
    expect(await statusOf(sessionId)).toMatchObject({
      status: 200,
      headers: { 'cache-control': 'no-store' },
      body: { authenticated: false, status: 'pending', sessionId, interval: 5, expiresIn: expect.any(Number) },
    });
  });

  test('is told to slow down when it polls faster than its interval, and goes on afterwards', async () => {
    const { body } = await world.begin();
    const sessionId = String(body['sessionId']);
    await statusOf(sessionId);
    const hasty = await statusOf(sessionId);
    expect(hasty).toMatchObject(problemOf(429, 'slow_down'));
    expect(hasty.headers['retry-after']).toBe('5');
    await world.deps.pool.query('delete from attempt_bucket');
    expect((await statusOf(sessionId)).body['status']).toBe('pending');
  });

  test('is complete once a person has connected, and says how to redeem it, without a token or a name', async () => {
    const { sessionId } = await world.linked({ codeChallenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM' });
    const { status, body } = await statusOf(sessionId);
    expect([status, body]).toEqual([
      200,
      {
        authenticated: true,
        status: 'complete',
        sessionId,
        redeemed: false,
        expiresIn: expect.any(Number),
        token_endpoint: tokenEndpoint,
        grant_type: grantType,
        client_id: 'unidentified-agent',
        codeVerifierRequired: true,
        resolution: expect.stringContaining('code_verifier'),
      },
    ]);
    // What has been decided is told however soon it is asked for.
    expect((await statusOf(sessionId)).status).toBe(200);
  });

  test('is complete after its redemption, and does not ask to be redeemed again', async () => {
    const { sessionId } = await world.connected();
    expect((await statusOf(sessionId)).body).toEqual({ authenticated: true, status: 'complete', sessionId, redeemed: true });
  });

  test('can be asked for with the sessionId in the path', async () => {
    const { sessionId } = await world.connected();
    expect((await world.rest('GET', `/signup/${sessionId}`)).body).toEqual({
      authenticated: true,
      status: 'complete',
      sessionId,
      redeemed: true,
    });
  });

  test('is denied when the person declines', async () => {
    const { body } = await world.begin();
    const sessionId = String(body['sessionId']);
    await denySession(world.deps, { platform: world.health, sessionId, account: (await world.account(world.health)).id });
    expect((await statusOf(sessionId)).body).toEqual({
      authenticated: false,
      status: 'denied',
      sessionId,
      resolution: expect.stringContaining('declined or chose another number'),
    });
  });

  test('is expired after its time, connected or not, unless it was redeemed', async () => {
    const { body } = await world.begin();
    const pending = String(body['sessionId']);
    const [{ sessionId: unredeemed }, { sessionId: redeemed }] = [await world.linked(), await world.connected()];
    const context = await world.later(901);
    const told = async (sessionId: string) => (await checkAccountStatus(context, { sessionId })).status;
    expect([await told(pending), await told(unredeemed), await told(redeemed)]).toEqual(['expired', 'expired', 'complete']);
  });

  test('is revoked once its agent has ended it, however it is asked for', async () => {
    const { sessionId, token } = await world.connected();
    expect((await world.rest('DELETE', '/session', { token })).status).toBe(200);
    for (const answer of [await statusOf(sessionId), await statusOf(sessionId, token)])
      expect(answer.body).toEqual({
        authenticated: false,
        status: 'revoked',
        sessionId,
        resolution: expect.stringContaining('init_signup'),
      });
  });
});

describe('what is no sessionId of this platform', () => {
  test('is invalid_grant, whatever it is instead', async () => {
    const elsewhere = await world.open('elsewhere');
    const { begun, sessionId, token, refreshToken } = await world.connected();
    const foreign = String((await world.begin({}, elsewhere)).body['sessionId']);
    const link = String(begun['authUrl']).split('/').at(-1) ?? '';
    const answers = await Promise.all(
      [foreign, link, token, refreshToken, forge(sessionId, world.health), 'sess_abc123', sessionOf(sessionId)].map((text) =>
        statusOf(text),
      ),
    );
    for (const answer of answers)
      expect(answer).toMatchObject(problemOf(400, 'invalid_grant', 'No session of this platform has this sessionId'));
    expect(await statusOf(sessionId, undefined, elsewhere)).toMatchObject(problemOf(400, 'invalid_grant'));
    // The other platform knows its own, so it is the platform that makes the difference.
    expect((await statusOf(foreign, undefined, elsewhere)).body['status']).toBe('pending');
  });
});

describe('a session, with an access token', () => {
  test('tells its own agent who connected, when, and its webhooks', async () => {
    const { sessionId, token } = await world.connected({ webhookUrl: 'http://127.0.0.1:9/hook', webhookToken: 'secret-token-123' });
    const { body, text } = await statusOf(sessionId, token);
    expect(body).toEqual({
      authenticated: true,
      status: 'complete',
      sessionId,
      redeemed: true,
      userName: 'A Person',
      linkedAt: expect.stringMatching(/^\d{4}-/),
      scope: 'openid profile email offline_access',
      session: sessionOf(sessionId),
      webhook: {
        configured: true,
        webhooks: [
          {
            configured: true,
            sessionKey: expect.stringMatching(/^session_/),
            webhookUrl: 'http://127.0.0.1:9/hook',
            hasSecret: true,
            hasDeliveryContext: false,
            conversationSessionKey: null,
            linkedAt: expect.stringMatching(/^\d{4}-/),
            status: 'active',
            verified: false,
            registeredAt: expect.stringMatching(/^\d{4}-/),
          },
        ],
      },
    });
    expect(text).not.toContain('secret-token-123');
    expect(text).not.toContain(token);
  });

  test('tells no more than the bare status to the agent of another session', async () => {
    const [mine, other] = [await world.connected(), await world.connected()];
    expect((await statusOf(mine.sessionId, other.token)).body).toEqual({
      authenticated: true,
      status: 'complete',
      sessionId: mine.sessionId,
      redeemed: true,
    });
  });

  test('tells no more than the bare status where the token is of another platform, a refresh token or none', async () => {
    const elsewhere = await world.open('elsewhere');
    const [{ sessionId, refreshToken }, foreign] = [await world.connected(), await world.connected({}, elsewhere)];
    for (const token of [foreign.token, refreshToken, 'nonsense', '%%%'])
      expect((await statusOf(sessionId, token)).body).toEqual({ authenticated: true, status: 'complete', sessionId, redeemed: true });
  });
});

describe('check_account_status without a sessionId', () => {
  test("speaks of the caller's own token and its session", async () => {
    const { sessionId, token } = await world.connected();
    const { status, body, text } = await accountStatus(token);
    expect(status).toBe(200);
    expect(body).toEqual({
      authenticated: true,
      status: 'complete',
      userName: 'A Person',
      linkedAt: expect.any(String),
      scope: 'openid profile email offline_access',
      session: sessionOf(sessionId),
      webhook: { configured: false, webhooks: [] },
      sessions: [{ session: sessionOf(sessionId), status: 'complete', linkedAt: expect.any(String), redeemed: true }],
    });
    // The device code is the sessionId's secret: a token does not give it back.
    expect(text).not.toContain(sessionId);
  });

  test('keeps the name to itself where the token has no scope profile', async () => {
    const scopes = [
      { name: 'openid', description: 'Know who you are', default: true },
      { name: 'profile', description: 'See your name' },
    ];
    const terse = await world.open('terse', {
      refresh: {},
      scopes,
      resources: [{ uri: `${publicUrl}/terse/mcp`, name: 'MCP', scopes: ['openid'] }],
    });
    const { token } = await world.connected({}, terse);
    expect((await accountStatus(token, terse)).body).toMatchObject({ userName: null, scope: 'openid' });
  });

  test('is not_authenticated without a token, with the challenge that begins OAuth', async () => {
    const answer = await accountStatus();
    expect(answer).toMatchObject(problemOf(401, 'not_authenticated'));
    expect(answer.headers['www-authenticate']).toBe(
      `Bearer realm="arlo-health", resource_metadata="${publicUrl}/.well-known/oauth-protected-resource/arlo-health/mcp"`,
    );
  });

  test('is not_authenticated for what is no access token of this platform', async () => {
    const elsewhere = await world.open('elsewhere');
    const [{ sessionId, token, refreshToken }, foreign] = [await world.connected(), await world.connected({}, elsewhere)];
    const changed = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`;
    for (const text of [foreign.token, refreshToken, sessionId, changed, 'nonsense']) {
      const answer = await accountStatus(text);
      expect(answer).toMatchObject(problemOf(401, 'not_authenticated'));
      expect(String(answer.headers['www-authenticate'])).toContain('error="invalid_token"');
    }
  });

  test('is token_expired when the access token is, and says to refresh it', async () => {
    const { token } = await world.connected();
    await expect(checkAccountStatus(await world.later(3_601, { token }), {})).rejects.toMatchObject({
      code: 'token_expired',
      status: 401,
      resolution: expect.stringContaining('grant_type=refresh_token'),
    });
  });

  test('is session_revoked once the session has ended, also when the token has expired since', async () => {
    const { token } = await world.connected();
    await world.rest('DELETE', '/session', { token });
    expect(await accountStatus(token)).toMatchObject(problemOf(401, 'session_revoked'));
    await expect(checkAccountStatus(await world.later(3_601, { token }), {})).rejects.toMatchObject({ code: 'session_revoked' });
  });

  test('is session_revoked when the refresh token was revoked at the revocation endpoint', async () => {
    const { token, refreshToken, sessionId } = await world.connected();
    const revoked = await world.app.inject({
      method: 'POST',
      url: '/arlo-health/oauth/revoke',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: String(new URLSearchParams({ token: refreshToken, client_id: 'unidentified-agent' })),
    });
    expect(revoked.statusCode).toBe(200);
    expect(await accountStatus(token)).toMatchObject(problemOf(401, 'session_revoked'));
    expect((await statusOf(sessionId)).body['status']).toBe('revoked');
  });

  test('is not_authenticated for a token for another resource or for none, whose holders would else act in the name of its agents', async () => {
    const other = 'https://other.example/api';
    const two = await world.open('two', {
      resources: [`${publicUrl}/two/mcp`, other].map((uri) => ({ uri, name: 'A resource', scopes: ['openid'] })),
    });
    const tokenFor = async (resource: string | null): Promise<string> => {
      const begun = await world.app.inject({
        method: 'POST',
        url: `/${two}/oauth/device_authorization`,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        payload: String(new URLSearchParams({ client_id: 'unidentified-agent', ...(resource === null ? {} : { resource }) })),
      });
      const sessionId = String((begun.json() as { readonly device_code?: unknown }).device_code);
      await linkSession(world.deps, { platform: two, sessionId, account: (await world.account(two)).id });
      return String((await world.redeem(sessionId, {}, two)).body['access_token']);
    };
    expect(await accountStatus(await tokenFor(`${publicUrl}/two/mcp`), two)).toMatchObject({ status: 200 });
    expect(await accountStatus(await tokenFor(other), two)).toMatchObject(
      problemOf(401, 'not_authenticated', expect.stringContaining('for another resource')),
    );
    // It was asked for on a platform with several, and would be good everywhere.
    expect(await accountStatus(await tokenFor(null), two)).toMatchObject(
      problemOf(401, 'not_authenticated', expect.stringContaining(`ask for it with resource=${publicUrl}/two/mcp`)),
    );
  });

  test('tells a forger nothing of a grant, whether it has ended or not', async () => {
    const [ended, living] = [await world.connected(), await world.connected()];
    await world.rest('DELETE', '/session', { token: ended.token });
    for (const { token } of [ended, living])
      expect(await accountStatus(forge(token, world.health))).toMatchObject(problemOf(401, 'not_authenticated'));
  });
});
