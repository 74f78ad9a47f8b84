import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { linkSession, sessionOf } from '../../../../test/support/link-session.ts';
import { checkAccountStatus } from '../../src/agent/check-account-status.ts';
import { type AgentWorld, createAgentWorld, forge, problemOf, publicUrl } from './support/agents.ts';

let world: AgentWorld;
beforeAll(async () => {
  world = await createAgentWorld(inject('databaseUrl'));
});
beforeEach(() => world.deps.pool.query('delete from attempt_bucket'));
afterAll(() => world.close());

const accountStatus = (token?: string, at?: string) =>
  world.rest('GET', '/account-status', { ...(token === undefined ? {} : { token }), ...(at === undefined ? {} : { at }) });

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
    expect((await world.rest('POST', '/signup/status', { body: { sessionId } })).body['status']).toBe('revoked');
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
