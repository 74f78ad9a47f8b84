import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type ArloHealth, type Begun, numbersOf, type Person, startArloHealth, type Tokens, wordsOf } from './support/arlo-health.ts';
import type { Door } from './support/doors.ts';
import { startAgentReceiver } from './support/receiver.ts';

let health: ArloHealth;
let [mcp, rest]: readonly [Door, Door] = [{} as Door, {} as Door];
beforeAll(async () => {
  health = await startArloHealth(inject('databaseUrl'));
  [mcp, rest] = [health.door('client v2 negotiating'), health.door('curl over REST')];
});
afterAll(() => health.stop());

const statusOf = async ({ sessionId }: Begun, token?: string): Promise<Readonly<Record<string, unknown>>> =>
  (await rest.call('check_account_status', { sessionId }, token)).body;

/** Two sign-ups of which neither shows its number on the other's page. */
const twoSignUps = async (ada: Person): Promise<readonly [Begun, Begun]> => {
  const first = await health.begin(mcp);
  for (;;) {
    const second = await health.begin(rest);
    if (!numbersOf(await ada.open(second.authUrl)).includes(first.number)) return [first, second];
  }
};

describe('two agents and two people', () => {
  test('each agent gets its own person, and hears of nobody else', async () => {
    const [ada, ben] = [await health.person('Ada Lovelace'), await health.person('Ben Franklin')];
    const receivers = [await startAgentReceiver('token-of-a'), await startAgentReceiver('token-of-b')] as const;
    const begin = async (door: Door, receiver: (typeof receivers)[number], to: string): Promise<Begun> => {
      const webhook = { webhookUrl: receiver.url, webhookToken: receiver.token, deliveryContext: { to } };
      const begun = await health.begin(door, webhook);
      receiver.learn(begun.webhook?.signingSecret ?? begun.webhook?.publicKey);
      return begun;
    };
    const sessions = [await begin(mcp, receivers[0], 'ada'), await begin(rest, receivers[1], 'ben')] as const;
    const tokens: readonly Tokens[] = await Promise.all([health.connect(ada, sessions[0]), health.connect(ben, sessions[1])]);
    const names = await Promise.all(
      tokens.map(async (each) => (await mcp.call('check_account_status', {}, each.access_token)).body['userName']),
    );
    expect(names).toEqual(['Ada Lovelace', 'Ben Franklin']);

    for (const [receiver, to, person] of [
      [receivers[0], 'ada', ada],
      [receivers[1], 'ben', ben],
    ] as const) {
      await receiver.waitFor('grant.code_redeemed');
      expect((await receiver.waitFor('session.linked')).data).toMatchObject({ accountId: person.account.id });
      expect(receiver.received.map(({ data }) => data['deliveryContext'])).toEqual(receiver.received.map(() => ({ to })));
      expect(receiver.refused).toEqual([]);
      await receiver.close();
    }
  });

  test('crossed links: the number of one’s own agent is not on the other’s page, and nothing is connected', async () => {
    const [ada, mallory] = [await health.person('Ada'), await health.person('Mallory')];
    const [own, foreign] = await twoSignUps(ada);
    // Mallory has sent Ada her link; Ada’s own agent has told her another number, which this page does not offer.
    const page = await ada.open(foreign.authUrl);
    expect(numbersOf(page)).not.toContain(own.number);
    expect(wordsOf(page)).toContain('If it shows none of these');
    // Who answers with it all the same has answered wrong, and Mallory’s session is over.
    expect(wordsOf(await ada.browser.submit(page, { number: String(own.number) }))).toContain('That was another number');
    expect(await statusOf(foreign)).toMatchObject({ authenticated: false, status: 'denied' });
    expect((await health.redeem(foreign)).body).toMatchObject({ error: 'access_denied' });
    // Ada’s own session never noticed.
    expect((await health.connect(ada, own)).scope).toContain('openid');
    expect((await mallory.open(foreign.authUrl)).status).toBe(410);
  });

  test('tokens never end at the wrong agent: a sessionId gives its own session’s alone, and a link none at all', async () => {
    const ada = await health.person('Ada');
    const [first, second] = await twoSignUps(ada);
    const page = await ada.open(first.authUrl);
    // A page answers the session that it was made for, whichever other pages were opened meanwhile.
    await ada.open(second.authUrl);
    expect(wordsOf(await ada.browser.submit(page, { number: String(first.number) }))).toContain('Connected');
    expect(await statusOf(first)).toMatchObject({ status: 'complete' });
    expect(await statusOf(second)).toMatchObject({ status: 'pending' });
    expect((await health.redeem(second)).body).toMatchObject({ error: expect.stringMatching(/authorization_pending|slow_down/) });
    const link = first.authUrl.split('/').at(-1) ?? '';
    expect((await health.redeem({ sessionId: link })).body).toMatchObject({ error: 'invalid_grant' });
    const answer = await health.redeem(first);
    expect(answer.status).toBe(200);

    // With another session's token, a sessionId still gives its bare status alone.
    const tokens = answer.body as unknown as Tokens;
    await ada.choose(second.authUrl, second.number);
    const bare = await statusOf(second, tokens.access_token);
    expect(bare).toMatchObject({ authenticated: true, status: 'complete' });
    for (const told of ['userName', 'linkedAt', 'webhook']) expect(bare).not.toHaveProperty(told);
    expect(await statusOf(first, tokens.access_token)).toMatchObject({ userName: 'Ada' });
  });

  test('a link that two people open is answered once, and the other one is told so', async () => {
    const [ada, ben] = [await health.person('Ada'), await health.person('Ben')];
    const begun = await health.begin(mcp);
    const pages = [await ada.open(begun.authUrl), await ben.open(begun.authUrl)] as const;
    const answers = await Promise.all([
      ada.browser.submit(pages[0], { number: String(begun.number) }),
      ben.browser.submit(pages[1], { number: String(begun.number) }),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 410]);
    const winner = answers[0].status === 200 ? 'Ada' : 'Ben';
    const tokens = (await health.redeem(begun)).body as unknown as Tokens;
    expect((await mcp.call('check_account_status', {}, tokens.access_token)).body['userName']).toBe(winner);
  });
});
