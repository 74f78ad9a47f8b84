import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type ArloHealth, type Begun, startArloHealth, type Tokens } from './support/arlo-health.ts';
import { curl, type Door } from './support/doors.ts';
import { type AgentReceiver, startAgentReceiver } from './support/receiver.ts';

let health: ArloHealth;
let mcp: Door;
let rest: Door;
beforeAll(async () => {
  health = await startArloHealth(inject('databaseUrl'));
  [mcp, rest] = [health.door('client v2 negotiating'), health.door('curl over REST')];
});
afterAll(() => health.stop());

type Connected = {
  readonly begun: Begun;
  readonly tokens: Tokens;
  readonly receiver: AgentReceiver;
  readonly session: string;
};

/** A session that somebody has connected, with a webhook. */
const connected = async (): Promise<Connected> => {
  const receiver = await startAgentReceiver('token-of-the-agent');
  const begun = await health.begin(rest, { webhookUrl: receiver.url, webhookToken: receiver.token });
  receiver.learn(begun.webhook?.signingSecret);
  const tokens = await health.connect(await health.person('Ada'), begun);
  const { session } = (await rest.call('check_account_status', {}, tokens.access_token)).body;
  return { begun, tokens, receiver, session: String(session) };
};

/** Nothing of a session works any more, and both sides know. */
const expectRevoked = async ({ begun, tokens, receiver }: Connected, heard: string, reason: string): Promise<void> => {
  expect((await receiver.waitFor(heard)).data).toMatchObject({ reason });
  expect((await mcp.call('check_account_status', { sessionId: begun.sessionId })).body).toMatchObject({
    authenticated: false,
    status: 'revoked',
    resolution: expect.stringContaining('init_signup'),
  });
  expect((await rest.call('check_account_status', {}, tokens.access_token)).body).toMatchObject({ error: 'session_revoked', status: 401 });
  expect((await health.refresh(tokens.refresh_token)).body).toMatchObject({ error: 'invalid_grant' });
  expect(receiver.refused).toEqual([]);
  await receiver.close();
};

describe('a session', () => {
  test('is of one person’s account, and stands for as long as nobody ends it: refreshed, it is the same', async () => {
    const { begun, tokens, receiver, session } = await connected();
    const refreshed = (await health.refresh(tokens.refresh_token)).body as unknown as Tokens;
    expect((await rest.call('check_account_status', {}, refreshed.access_token)).body).toMatchObject({
      authenticated: true,
      status: 'complete',
      session,
      sessions: [{ session, status: 'complete' }],
    });
    expect((await mcp.call('check_account_status', { sessionId: begun.sessionId })).body).toMatchObject({
      status: 'complete',
      redeemed: true,
    });
    await receiver.close();
  });

  test('ends when its agent ends it, and every token with it', async () => {
    const of = await connected();
    const ended = await curl('-X', 'DELETE', '-H', `Authorization: Bearer ${of.tokens.access_token}`, `${health.issuer}/rest/session`);
    expect([ended.status, JSON.parse(ended.body)]).toEqual([200, { success: true, status: 'revoked', session: of.session }]);
    await expectRevoked(of, 'session.revoked', 'by_client');
  });

  test('ends when its agent revokes the refresh token', async () => {
    const of = await connected();
    expect((await health.revoke(of.tokens.refresh_token)).status).toBe(200);
    await expectRevoked(of, 'grant.revoked', 'token_revoked');
  });

  test('ends when an operator ends it, and stays readable for operators', async () => {
    const of = await connected();
    const operator = await health.operator();
    await operator.call('POST', `/arlo-health/manage/sessions/${of.session}/revoke`);
    await expectRevoked(of, 'session.revoked', 'by_operator');
    expect(await operator.call('GET', `/arlo-health/manage/sessions/${of.session}`)).toMatchObject({
      status: 'revoked',
      linkedAt: expect.any(String),
      endedAt: expect.any(String),
    });
  });

  test('begins anew by init_signup, with another sessionId and webhooks of its own', async () => {
    const of = await connected();
    const { issuer } = health;
    await curl('-X', 'DELETE', '-H', `Authorization: Bearer ${of.tokens.access_token}`, `${issuer}/rest/session`);
    const again = await health.begin(mcp);
    expect(again.sessionId).not.toBe(of.begun.sessionId);
    const tokens = await health.connect(await health.person('Ada once more'), again);
    expect((await mcp.call('check_account_status', {}, tokens.access_token)).body).toMatchObject({
      authenticated: true,
      userName: 'Ada once more',
      webhook: { configured: false },
    });
    expect((await mcp.call('check_account_status', { sessionId: of.begun.sessionId })).body).toMatchObject({ status: 'revoked' });
    await of.receiver.close();
  });
});

describe('the webhooks of a session', () => {
  test('are registered later as well, named by sessionKey, and changed by the same name', async () => {
    const { tokens, receiver } = await connected();
    const second = await startAgentReceiver('another-token');
    const hook = { webhookUrl: second.url, webhookToken: second.token, deliveryContext: { to: 'b' }, sessionKey: 'second' };
    const created = await rest.call('register_webhook', hook, tokens.access_token);
    second.learn(created.body['signingSecret']);
    expect(created).toMatchObject({
      ok: true,
      body: { success: true, webhookUrl: second.url, hasSecret: true, hasDeliveryContext: true, sessionKey: 'second', created: true },
    });
    await second.waitFor('webhook_endpoint.verification');
    expect(await rest.call('get_webhook_status', {}, tokens.access_token)).toMatchObject({
      body: { configured: true, webhooks: [{ webhookUrl: receiver.url }, { sessionKey: 'second' }] },
    });
    const changed = await rest.call('register_webhook', { ...hook, conversationSessionKey: 'conv_2' }, tokens.access_token);
    expect(changed.body).toMatchObject({ sessionKey: 'second', created: false, conversationSessionKey: 'conv_2' });
    expect(changed.body).not.toHaveProperty('signingSecret');
    await Promise.all([receiver.close(), second.close()]);
  });

  test('stay with it for good: a refresh changes nothing, and every one is told of the end', async () => {
    const of = await connected();
    const { access_token: access } = (await health.refresh(of.tokens.refresh_token)).body as unknown as Tokens;
    expect((await rest.call('get_webhook_status', {}, access)).body).toMatchObject({ webhooks: [{ webhookUrl: of.receiver.url }] });
    await of.receiver.waitFor('grant.refreshed');
    await (await health.operator()).call('POST', `/arlo-health/manage/sessions/${of.session}/revoke`);
    await of.receiver.waitFor('session.revoked');
    await of.receiver.close();
  });
});
