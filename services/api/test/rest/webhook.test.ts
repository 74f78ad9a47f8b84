import { randomToken } from '@grantlog/crypto';
import { sessionWebhookLimit } from '@grantlog/domain';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { registerWebhook } from '../../src/agent/register-webhook.ts';
import { type AgentWorld, createAgentWorld, problemOf, publicUrl } from './support/agents.ts';

let world: AgentWorld;
beforeAll(async () => {
  world = await createAgentWorld(inject('databaseUrl'));
});
beforeEach(() => world.deps.pool.query('delete from attempt_bucket'));
afterAll(() => world.close());

const webhookUrl = 'http://127.0.0.1:9/hook';
const register = (token: string, body: object) => world.rest('POST', '/webhook', { token, body: { webhookUrl, ...body } });
const webhooks = (token: string, sessionKey?: string) =>
  world.rest('GET', `/webhook${sessionKey === undefined ? '' : `?sessionKey=${encodeURIComponent(sessionKey)}`}`, { token });

describe('register_webhook over REST', () => {
  test('registers a webhook for the session and shows its signing secret once', async () => {
    const { token } = await world.connected();
    const made = await register(token, {
      webhookToken: 'secret-token-123',
      deliveryContext: { to: '+15551234567', channel: 'whatsapp', deliver: true },
      conversationSessionKey: 'conv_xyz789',
      sessionKey: 'mine',
    });
    expect([made.status, made.body]).toEqual([
      201,
      {
        success: true,
        webhookUrl,
        hasSecret: true,
        hasDeliveryContext: true,
        sessionKey: 'mine',
        conversationSessionKey: 'conv_xyz789',
        created: true,
        verified: false,
        signature: 'v1',
        signingSecret: expect.stringMatching(/^whsec_/),
      },
    ]);
    const again = await register(token, { sessionKey: 'mine' });
    expect([again.status, again.body]).toEqual([
      200,
      {
        success: true,
        webhookUrl,
        hasSecret: true,
        hasDeliveryContext: true,
        sessionKey: 'mine',
        conversationSessionKey: 'conv_xyz789',
        created: false,
        verified: false,
      },
    ]);
  });

  test('makes a key for a webhook that is given none, and changes that one when it is registered again', async () => {
    const { token } = await world.connected();
    const first = await register(token, {});
    const second = await register(token, { webhookUrl: `${webhookUrl}/other` });
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(second.body['sessionKey']).toBe(first.body['sessionKey']);
    expect((await webhooks(token)).body['webhooks']).toMatchObject([{ webhookUrl: `${webhookUrl}/other` }]);
  });

  test('gives the public key of an Ed25519 signature where that is asked for', async () => {
    const { token } = await world.connected();
    const { body, text } = await register(token, { signature: 'v1a' });
    expect(body).toMatchObject({ signature: 'v1a', publicKey: expect.stringMatching(/^whpk_/) });
    expect(text).not.toContain('whsec_');
  });

  test('keeps tokens, contexts and keys out of the log and of every later answer', async () => {
    const canary = randomToken(16);
    const { token } = await world.connected();
    await register(token, {
      webhookToken: canary,
      deliveryContext: { to: canary },
      conversationSessionKey: `c${canary}`,
      sessionKey: `k${canary}`,
    });
    expect(await world.everything()).not.toContain(canary);
    const { text } = await webhooks(token);
    expect(text.replaceAll(`c${canary}`, '').replaceAll(`k${canary}`, '')).not.toContain(canary);
  });

  test.each([
    [{}, 'webhookUrl'],
    [{ webhookUrl: 'https://192.168.1.1/hook' }, 'public address'],
    [{ webhookUrl, sessionKey: '' }, 'sessionKey'],
    [{ webhookUrl, conversationSessionKey: 'two\nlines' }, 'conversationSessionKey'],
    [{ webhookUrl, deliveryContext: ['x'] }, 'deliveryContext'],
    [{ webhookUrl, deliveryContext: { to: 'x'.repeat(5_000) } }, 'deliveryContext'],
    [{ webhookUrl, url: 'x' }, 'url is not a known property'],
  ])('names what is wrong in %j', async (body, named) => {
    const { token } = await world.connected();
    expect(await world.rest('POST', '/webhook', { token, body })).toMatchObject(
      problemOf(400, 'invalid_request', expect.stringContaining(named)),
    );
  });

  test('says when a session has as many as it may have', async () => {
    const { token } = await world.connected();
    for (let count = 0; count < sessionWebhookLimit; count += 1)
      expect((await register(token, { sessionKey: `w${count}` })).status).toBe(201);
    expect(await register(token, { sessionKey: 'one-more' })).toMatchObject(
      problemOf(400, 'invalid_request', expect.stringContaining('as many webhooks as it may have')),
    );
    expect((await register(token, { sessionKey: 'w0' })).status).toBe(200);
  });

  test('lets no session name one host more often than its throttle does, by whatever key', async () => {
    const { token } = await world.connected();
    const answers = [];
    for (let count = 0; count < 130 && answers.at(-1)?.status !== 429; count += 1)
      answers.push(await register(token, { webhookUrl: `${webhookUrl}/${count}`, sessionKey: 'moving' }));
    expect(answers.at(-1)).toMatchObject(problemOf(429, 'rate_limited'));
    expect(Number(answers.at(-1)?.headers['retry-after'])).toBeGreaterThan(0);
  });

  test('asks for a token before it reads what is sent', async () => {
    expect(await world.rest('POST', '/webhook', { body: { nonsense: true } })).toMatchObject(problemOf(401, 'not_authenticated'));
  });

  test('is not for a token of another flow, which has no session', async () => {
    const { id } = await world.account(world.health);
    const names = await world.deps.directory.open(world.health);
    if (names === null) throw new Error('no such platform');
    const { accessToken } = await world.grant({
      platform: world.health,
      client: names.client('unidentified-agent'),
      clientId: 'unidentified-agent',
      account: id,
      scopes: ['openid', 'profile'],
      resource: `${publicUrl}/arlo-health/mcp`,
    });
    expect(await register(accessToken, {})).toMatchObject(problemOf(400, 'invalid_request', expect.stringContaining('call init_signup')));
    expect((await world.rest('GET', '/account-status', { token: accessToken })).body).toMatchObject({ authenticated: true, sessions: [] });
  });

  test('never shows a shared secret where the result is a tool’s', async () => {
    const { token } = await world.connected();
    const context = await world.later(0, { token });
    const tool = await registerWebhook(context, { webhookUrl, sessionKey: 'tool' });
    expect(tool).toMatchObject({ signature: 'v1a', publicKey: expect.stringMatching(/^whpk_/) });
    const asked = await registerWebhook(context, { webhookUrl, sessionKey: 'asked', signature: 'v1' });
    expect(JSON.stringify(asked)).not.toContain('whsec_');
  });
});

describe('get_webhook_status over REST', () => {
  test('shows one webhook by its key, or all of the session', async () => {
    const { token } = await world.connected({ webhookUrl, conversationSessionKey: 'conv_1' });
    await register(token, { sessionKey: 'second' });
    const all = await webhooks(token);
    expect(all.body).toMatchObject({
      configured: true,
      webhooks: [
        { configured: true, conversationSessionKey: 'conv_1', hasSecret: false, linkedAt: expect.any(String) },
        { sessionKey: 'second', status: 'active', verified: false },
      ],
    });
    expect((await webhooks(token, 'second')).body).toEqual({
      configured: true,
      sessionKey: 'second',
      webhookUrl,
      hasSecret: false,
      hasDeliveryContext: false,
      conversationSessionKey: null,
      linkedAt: expect.any(String),
      status: 'active',
      verified: false,
      registeredAt: expect.any(String),
    });
    expect((await webhooks(token, 'third')).body).toEqual({ configured: false, sessionKey: 'third' });
  });

  test('shows nothing of the webhooks of another session, whose keys may be the same', async () => {
    const [mine, other] = [await world.connected(), await world.connected()];
    await register(mine.token, { sessionKey: 'same', conversationSessionKey: 'mine' });
    expect((await webhooks(other.token, 'same')).body).toEqual({ configured: false, sessionKey: 'same' });
    expect((await webhooks(other.token)).body).toEqual({ configured: false, webhooks: [] });
    expect((await register(other.token, { sessionKey: 'same' })).status).toBe(201);
    expect((await webhooks(mine.token, 'same')).body).toMatchObject({ conversationSessionKey: 'mine' });
  });

  test('tells the agent of another platform nothing', async () => {
    const elsewhere = await world.open('elsewhere');
    const { token } = await world.connected({}, elsewhere);
    expect(await webhooks(token)).toMatchObject(problemOf(401, 'not_authenticated'));
  });
});

describe('an agent that ends its own session', () => {
  test('finds its tokens dead, its webhooks out of reach, and begins anew', async () => {
    const { token, refreshToken } = await world.connected({ webhookUrl });
    const ended = await world.rest('DELETE', '/session', { token });
    expect(ended).toMatchObject({ status: 200, body: { success: true, status: 'revoked', session: expect.any(String) } });
    for (const answer of [await webhooks(token), await register(token, {}), await world.rest('DELETE', '/session', { token })])
      expect(answer).toMatchObject(problemOf(401, 'session_revoked'));
    const refreshed = await world.app.inject({
      method: 'POST',
      url: '/arlo-health/oauth/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: String(new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken, client_id: 'unidentified-agent' })),
    });
    expect([refreshed.statusCode, refreshed.json()]).toMatchObject([400, { error: 'invalid_grant' }]);
    expect((await world.begin()).status).toBe(201);
  });

  test('ends no other session of the same client or person', async () => {
    const [mine, other] = [await world.connected(), await world.connected()];
    await world.rest('DELETE', '/session', { token: mine.token });
    expect((await world.rest('GET', '/account-status', { token: other.token })).body).toMatchObject({ status: 'complete' });
  });

  test('needs a token', async () => {
    expect(await world.rest('DELETE', '/session')).toMatchObject(problemOf(401, 'not_authenticated'));
  });
});
