import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { type ArloHealth, type Begun, deviceCode, startArloHealth, type Tokens } from './support/arlo-health.ts';
import { curl } from './support/doors.ts';
import { startAgentReceiver } from './support/receiver.ts';

let health: ArloHealth;
beforeAll(async () => {
  health = await startArloHealth(inject('databaseUrl'));
});
afterAll(() => health.stop());

const json = ['-H', 'Content-Type: application/json'];
const form = ['-H', 'Content-Type: application/x-www-form-urlencoded'];

describe('curl, as in the examples of the document', () => {
  test('init_signup, check_account_status, the redemption, the webhook and the refresh', async () => {
    const { issuer } = health;
    const receiver = await startAgentReceiver('secret-token-123');
    // The document's example, but for the two URLs.
    const example = {
      baseUrl: issuer,
      webhookUrl: receiver.url,
      webhookToken: 'secret-token-123',
      deliveryContext: { to: '+15551234567', channel: 'whatsapp', deliver: true },
      conversationSessionKey: 'conv_xyz789',
    };
    const signup = await curl('-X', 'POST', ...json, '--data', JSON.stringify(example), `${issuer}/rest/signup`);
    expect(signup.status).toBe(201);
    const begun = JSON.parse(signup.body) as Begun;
    expect(begun).toMatchObject({ authUrl: expect.stringMatching(/^http/), sessionId: expect.any(String), expiresIn: 900 });
    receiver.learn(begun.webhook?.signingSecret);

    // Polled as it is documented: with the sessionId, until it is no longer pending.
    const statusUrl = `${issuer}/rest/signup/${begun.sessionId}`;
    expect(JSON.parse((await curl(statusUrl)).body)).toMatchObject({
      authenticated: false,
      status: 'pending',
      sessionId: begun.sessionId,
    });
    await (await health.person('John Doe')).choose(begun.authUrl, begun.number);
    expect(JSON.parse((await curl(statusUrl)).body)).toMatchObject({ authenticated: true, status: 'complete' });

    const redemption = `grant_type=${encodeURIComponent(deviceCode)}&device_code=${begun.sessionId}&client_id=${begun.clientId}`;
    const granted = await curl(...form, '--data', redemption, `${issuer}/oauth/token`);
    expect(granted.status).toBe(200);
    expect(granted.headers).toMatch(/^cache-control: no-store/im);
    const tokens = JSON.parse(granted.body) as Tokens;

    // Complete, as printed: with the session's own token.
    const bearer = ['-H', `Authorization: Bearer ${tokens.access_token}`];
    const complete = await curl(...bearer, statusUrl);
    expect(JSON.parse(complete.body)).toMatchObject({
      authenticated: true,
      status: 'complete',
      userName: 'John Doe',
      linkedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      sessionId: begun.sessionId,
    });

    await receiver.waitFor('webhook_endpoint.verification');
    const status = await eventually('the verification', async () => {
      const { body } = await curl(...bearer, `${issuer}/rest/webhook?sessionKey=${begun.webhook?.sessionKey}`);
      const view = JSON.parse(body) as { readonly verified: boolean };
      return view.verified ? view : null;
    });
    expect(status).toMatchObject({
      configured: true,
      sessionKey: begun.webhook?.sessionKey,
      webhookUrl: receiver.url,
      hasSecret: true,
      hasDeliveryContext: true,
      conversationSessionKey: 'conv_xyz789',
      linkedAt: expect.any(String),
    });

    const refresh = `grant_type=refresh_token&refresh_token=${tokens.refresh_token}&client_id=${begun.clientId}`;
    const refreshed = await curl(...form, '--data', refresh, `${issuer}/oauth/token`);
    expect(refreshed.status).toBe(200);
    const renewed = JSON.parse(refreshed.body) as Tokens;
    expect([renewed.access_token, renewed.refresh_token]).not.toEqual([tokens.access_token, tokens.refresh_token]);

    const secrets = [begun.sessionId, begun.authUrl.split('/').at(-1), begun.webhook?.signingSecret, 'secret-token-123', '+15551234567'];
    const logs = await health.deployment.allLogs();
    for (const secret of [...secrets, tokens.access_token, tokens.refresh_token]) expect(logs).not.toContain(secret);
    await receiver.close();
  });

  test('the webhook token rotates: the receiver that knows only the old one is still told meanwhile', async () => {
    const { issuer } = health;
    const receiver = await startAgentReceiver('first-token');
    const hook = { webhookUrl: receiver.url, webhookToken: 'first-token' };
    const begun = await health.begin(health.door('curl over REST'), hook);
    receiver.learn(begun.webhook?.signingSecret);
    const tokens = await health.connect(await health.person('Ada'), begun);
    await receiver.waitFor('grant.code_redeemed');
    const change = { ...hook, webhookToken: 'second-token', sessionKey: begun.webhook?.sessionKey };
    const bearer = ['-H', `Authorization: Bearer ${tokens.access_token}`];
    const rotated = await curl('-X', 'POST', ...bearer, ...json, '--data', JSON.stringify(change), `${issuer}/rest/webhook`);
    expect([rotated.status < 300, JSON.parse(rotated.body)]).toEqual([true, expect.objectContaining({ created: false, hasSecret: true })]);
    expect(rotated.body).not.toMatch(/second-token|first-token|whsec_/);
    await health.refresh(tokens.refresh_token);
    await receiver.waitFor('grant.refreshed');
    // The new one was offered first.
    expect(receiver.refused).toContain('it carries Bearer second-token');
    await receiver.close();
  });
});
