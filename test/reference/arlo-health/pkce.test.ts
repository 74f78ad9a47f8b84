import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createAgent, pkce } from '../../support/agent.ts';
import { type ArloHealth, platform, startArloHealth } from './support/arlo-health.ts';
import type { Door } from './support/doors.ts';

let health: ArloHealth;
let door: Door;
beforeAll(async () => {
  health = await startArloHealth(inject('databaseUrl'), { workers: 0 });
  door = health.door('client v2 negotiating');
});
afterAll(() => health.stop());

describe('PKCE', () => {
  test('is S256: another challenge than one of SHA-256 is refused, and so is another method', async () => {
    for (const codeChallenge of ['plain-text', 'x'.repeat(44), 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c=']) {
      const refused = await door.call('init_signup', { baseUrl: health.issuer, codeChallenge });
      expect([refused.ok, refused.body]).toEqual([
        false,
        expect.objectContaining({ error: 'invalid_request', error_description: expect.stringContaining('codeChallenge') }),
      ]);
    }
    const demo = health.deployment.demo.platforms[platform];
    if (demo === undefined) throw new Error('the demo has no arlo-health');
    const agent = createAgent({ name: platform, demo });
    const url = agent.authorizationUrl({ url: health.deployment.publicUrl }, pkce().challenge, { code_challenge_method: 'plain' });
    const answer = await fetch(url, { redirect: 'manual' });
    expect(new URL(answer.headers.get('location') ?? '').searchParams.get('error')).toBe('invalid_request');
  });

  test('binds the session to who began it: the sessionId alone redeems nothing, and a wrong verifier neither', async () => {
    const { verifier, challenge } = pkce();
    const begun = await health.begin(door, { codeChallenge: challenge });
    await (await health.person('Ada')).choose(begun.authUrl, begun.number);
    expect((await door.call('check_account_status', { sessionId: begun.sessionId })).body).toMatchObject({ codeVerifierRequired: true });
    expect((await health.redeem(begun)).body).toMatchObject({ error: expect.stringMatching(/invalid_(?:request|grant)/) });
    expect((await health.redeem(begun, { code_verifier: pkce().verifier })).body).toMatchObject({ error: 'invalid_grant' });
    expect((await health.redeem(begun, { code_verifier: verifier })).status).toBe(200);
  });

  test('a verifier is good once: a second redemption gets nothing and ends what the first gave', async () => {
    const { verifier, challenge } = pkce();
    const begun = await health.begin(door, { codeChallenge: challenge });
    const tokens = await health.connect(await health.person('Ada'), begun, { code_verifier: verifier });
    expect((await health.redeem(begun, { code_verifier: verifier })).body).toMatchObject({ error: 'invalid_grant' });
    expect((await health.refresh(tokens.refresh_token)).body).toMatchObject({ error: 'invalid_grant' });
  });

  test('is required of every sign-up where the platform’s switch says so', async () => {
    await health.configure({ agentSignUp: { unidentifiedClient: 'unidentified-agent', codeChallengeRequired: true } });
    const refused = await door.call('init_signup', { baseUrl: health.issuer });
    expect(refused).toMatchObject({ ok: false, body: { error: 'invalid_request', error_description: expect.stringContaining('S256') } });
    expect(await health.begin(door, { codeChallenge: pkce().challenge })).toMatchObject({ expiresIn: 900 });
    await health.configure({});
  });
});
