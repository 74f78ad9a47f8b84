import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createOAuthMemory, mcpClients } from '../../support/mcp-clients.ts';
import { type ArloHealth, type Begun, numbersOf, type Person, startArloHealth, type Tokens, wordsOf } from './support/arlo-health.ts';
import { curl, type Door } from './support/doors.ts';
import { type AgentReceiver, startAgentReceiver } from './support/receiver.ts';

/** Both the least that a document can say. */
const lifetimes = { signUpLinkSeconds: 60, accessTokenSeconds: 60 };

let health: ArloHealth;
let mcp: Door;
let rest: Door;
let receiver: AgentReceiver;
let ada: Person;
/** Nobody has answered the first; nobody has redeemed the second; the third is connected. */
let unanswered: Begun;
let unredeemed: Begun;
let tokens: readonly Tokens[];
let openPage: Awaited<ReturnType<Person['open']>>;

beforeAll(async () => {
  health = await startArloHealth(inject('databaseUrl'));
  await health.configure({ lifetimes });
  [mcp, rest] = [health.door('client v2 negotiating'), health.door('curl over REST')];
  receiver = await startAgentReceiver('token-of-the-agent');
  ada = await health.person('Ada');
  // One for each client that refreshes by itself, and one that is never refreshed.
  tokens = await Promise.all(
    Array.from({ length: mcpClients.length + 1 }, async () => health.connect(await health.person('Ada'), await health.begin(rest))),
  );
  unanswered = await health.begin(rest, { webhookUrl: receiver.url, webhookToken: receiver.token });
  receiver.learn(unanswered.webhook?.signingSecret);
  unredeemed = await health.begin(mcp);
  await ada.choose(unredeemed.authUrl, unredeemed.number);
  openPage = await ada.open(unanswered.authUrl);
  expect(numbersOf(openPage)).toHaveLength(3);
  await new Promise((resolve) => setTimeout(resolve, 1000 * lifetimes.accessTokenSeconds));
}, 150_000);
afterAll(async () => {
  await receiver.close();
  await health.stop();
});

describe('a link that has run out', () => {
  test('says so to the person, also from a page that was open before', async () => {
    expect(unanswered.expiresIn).toBe(60);
    for (const page of [await ada.open(unanswered.authUrl), await ada.browser.submit(openPage, { number: String(unanswered.number) })])
      expect([page.status, wordsOf(page)]).toEqual([expect.toSatisfy((status) => status >= 400), expect.stringMatching(/run out|too old/)]);
  });

  test('says so to the agent, which begins anew', async () => {
    for (const { call } of [mcp, rest]) {
      expect((await call('check_account_status', { sessionId: unanswered.sessionId })).body).toMatchObject({
        authenticated: false,
        status: 'expired',
        resolution: expect.stringContaining('init_signup'),
      });
    }
    expect((await health.redeem(unanswered)).body).toMatchObject({ error: 'expired_token' });
    expect(await health.begin(mcp)).toMatchObject({ expiresIn: 60 });
  });

  test('is told to the webhook, and gives nothing when the person has answered and nobody came', async () => {
    expect((await receiver.waitFor('session.expired')).type).toBe('session.expired');
    expect(receiver.refused).toEqual([]);
    expect((await health.redeem(unredeemed)).body).toMatchObject({ error: 'expired_token' });
    expect((await mcp.call('check_account_status', { sessionId: unredeemed.sessionId })).body).toMatchObject({ status: 'expired' });
  });
});

describe('an access token that has run out', () => {
  test('is token_expired, with what to do about it', async () => {
    const { access_token: access, refresh_token: refresh } = tokens.at(-1) as Tokens;
    const answer = await curl('-H', `Authorization: Bearer ${access}`, `${health.issuer}/rest/account-status`);
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      401,
      expect.objectContaining({ error: 'token_expired', resolution: expect.stringContaining('grant_type=refresh_token') }),
    ]);
    expect(answer.headers).toMatch(/^www-authenticate: Bearer realm="arlo-health", error="/im);
    const refreshed = (await health.refresh(refresh)).body as unknown as Tokens;
    expect((await rest.call('check_account_status', {}, refreshed.access_token)).body).toMatchObject({ authenticated: true });
  });

  test.each(mcpClients.map(({ name }, index) => [name, index] as const))('is refreshed by itself by %s', async (_, index) => {
    const memory = createOAuthMemory({ clientId: 'unidentified-agent', redirectUri: 'http://127.0.0.1:9/none' });
    memory.saveTokens({ ...(tokens[index] as Tokens), token_type: 'Bearer' });
    const agent = await mcpClients[index]?.connect({ url: `${health.issuer}/mcp`, memory });
    expect((await agent?.call('check_account_status'))?.structuredContent).toMatchObject({ authenticated: true, userName: 'Ada' });
    expect((memory.tokens() as unknown as Tokens).access_token).not.toBe(tokens[index]?.access_token);
    expect(memory.sentTo).toEqual([]);
    await agent?.close();
  });
});
