import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { pkce, post } from '../../support/agent.ts';
import { claimsOf } from '../../support/consent.ts';
import { type ArloHealth, deviceCode, numbersOf, platform, startArloHealth, wordsOf } from './support/arlo-health.ts';
import { doorNames } from './support/doors.ts';
import { startAgentReceiver } from './support/receiver.ts';

let health: ArloHealth;
beforeAll(async () => {
  health = await startArloHealth(inject('databaseUrl'));
});
afterAll(() => health.stop());

/** As the document has it. */
const deliveryContext = { to: '+15551234567', channel: 'whatsapp', deliver: true };

describe('the whole story, by unmodified clients', () => {
  test.each(doorNames)('%s: begins, waits, is connected by a person, and is told of everything by webhook', async (name) => {
    const { call } = health.door(name);
    const receiver = await startAgentReceiver('secret-token-123');
    const ada = await health.person('Ada Lovelace');
    const { verifier, challenge } = pkce();

    // Step 1: initialise signup, with the webhook at once and no client of its own.
    const begun = await health.begin(health.door(name), {
      webhookUrl: receiver.url,
      webhookToken: receiver.token,
      deliveryContext,
      conversationSessionKey: 'conv_xyz789',
      codeChallenge: challenge,
    });
    receiver.learn(begun.webhook?.signingSecret ?? begun.webhook?.publicKey);
    expect(begun).toMatchObject({ expiresIn: 900, webhook: { success: true, hasSecret: true, hasDeliveryContext: true, verified: false } });
    expect(begun.authUrl).toMatch(new RegExp(`^${health.issuer}/connect/`));
    expect(begun.authUrl).not.toContain(begun.sessionId);
    expect((await receiver.waitFor('webhook_endpoint.verification')).data).toMatchObject({ deliveryContext });

    // Step 3 before step 2: nobody has answered.
    expect(await call('check_account_status', { sessionId: begun.sessionId })).toMatchObject({
      ok: true,
      body: { authenticated: false, status: 'pending', sessionId: begun.sessionId },
    });

    // Step 2: the person opens authUrl, signs in, reads who asks, and chooses the number that the agent has told them.
    const page = await ada.open(begun.authUrl);
    expect(page.status).toBe(200);
    for (const shown of ['Nobody has verified it', new URL(receiver.url).host, ada.account.email, 'See your email address'])
      expect(wordsOf(page)).toContain(shown);
    expect(numbersOf(page)).toHaveLength(3);
    const last = await ada.browser.submit(page, { number: String(begun.number) });
    expect(wordsOf(last)).toMatch(/Connected .*You are back at Arlo Health, .*you may close this page/);

    // Step 3: polling says complete, and where the tokens are; they are in no result.
    const complete = await call('check_account_status', { sessionId: begun.sessionId });
    expect(complete).toMatchObject({
      ok: true,
      body: { authenticated: true, status: 'complete', token_endpoint: `${health.issuer}/oauth/token`, grant_type: deviceCode },
    });
    expect(JSON.stringify(complete.body)).not.toContain('Ada');
    const form = {
      grant_type: deviceCode,
      device_code: begun.sessionId,
      client_id: String(complete.body['client_id']),
      code_verifier: verifier,
    };
    const { status, body: tokens } = await post(String(complete.body['token_endpoint']), form);
    expect([status, tokens]).toEqual([
      200,
      expect.objectContaining({ token_type: 'Bearer', expires_in: 3_600, scope: 'openid profile email offline_access' }),
    ]);
    expect(claimsOf(tokens['id_token'])).toMatchObject({ iss: health.issuer, sub: ada.account.id });

    // The agent now knows who it is for, and how its webhook stands.
    const access = String(tokens['access_token']);
    expect(await call('check_account_status', { sessionId: begun.sessionId }, access)).toMatchObject({
      body: { authenticated: true, status: 'complete', redeemed: true, userName: 'Ada Lovelace', webhook: { configured: true } },
    });
    expect(await call('check_account_status', {}, access)).toMatchObject({
      body: { authenticated: true, userName: 'Ada Lovelace', linkedAt: expect.any(String), webhook: { configured: true } },
    });
    expect(await call('get_webhook_status', { sessionKey: begun.webhook?.sessionKey }, access)).toMatchObject({
      body: {
        configured: true,
        webhookUrl: receiver.url,
        hasSecret: true,
        hasDeliveryContext: true,
        conversationSessionKey: 'conv_xyz789',
        linkedAt: expect.any(String),
        verified: true,
      },
    });

    // The person ends it where they were told they can: the tokens are dead, and the agent hears why.
    expect(wordsOf(await ada.endConnection(health.issuer))).toContain('The connection has ended');
    expect((await receiver.waitFor('session.revoked')).data).toMatchObject({ reason: 'by_account', deliveryContext });
    expect(await call('check_account_status', { sessionId: begun.sessionId })).toMatchObject({
      body: { authenticated: false, status: 'revoked' },
    });
    expect((await health.refresh(String(tokens['refresh_token']), {})).body).toMatchObject({ error: 'invalid_grant' });

    await receiver.waitFor('grant.revoked');
    expect(new Set(receiver.types())).toEqual(
      new Set([
        'webhook_endpoint.verification',
        'session.linked',
        'grant.authorized',
        'session.redeemed',
        'grant.code_redeemed',
        'session.revoked',
        'grant.revoked',
      ]),
    );
    for (const { data } of receiver.received)
      expect(data).toMatchObject({
        platform,
        deliveryContext,
        conversationSessionKey: 'conv_xyz789',
        sessionKey: begun.webhook?.sessionKey,
      });
    expect(receiver.refused).toEqual([]);
    await receiver.close();
  });

  test.each(doorNames)('%s: a number that the agent does not show ends the session, and gives nothing', async (name) => {
    const door = health.door(name);
    const begun = await health.begin(door);
    const eve = await health.person('Eve Example');
    const page = await eve.open(begun.authUrl);
    const wrong = numbersOf(page).find((number) => number !== begun.number) ?? 0;
    expect(wordsOf(await eve.browser.submit(page, { number: String(wrong) }))).toContain('That was another number');
    expect((await door.call('check_account_status', { sessionId: begun.sessionId })).body).toMatchObject({
      authenticated: false,
      status: 'denied',
    });
    expect((await health.redeem(begun)).body).toMatchObject({ error: 'access_denied' });
    // Nor does the right number help any more.
    expect(wordsOf(await eve.browser.submit(page, { number: String(begun.number) }))).toContain('That was another number');
    expect((await health.redeem(begun)).body).toMatchObject({ error: 'access_denied' });
  });
});
