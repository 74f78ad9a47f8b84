import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { denySession, sessionOf } from '../../../../test/support/link-session.ts';
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
