import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Agent, createAgent, type Tokens } from '../support/agent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';

const parallel = 50;

let deployment: Deployment;
let agent: Agent;
let strict: Agent;

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 2, workers: 0 });
  const { platforms } = deployment.demo;
  agent = createAgent({ name: 'arlo-health', demo: platforms['arlo-health'] as never });
  // arlo's document sets the retry window to 0.
  strict = createAgent({ name: 'arlo', demo: platforms['arlo'] as never, scope: 'openid profile offline_access' });
});
afterAll(() => deployment.stop());

const node = (index: number) => deployment.apis[index % deployment.apis.length] as { readonly url: string };
const many = <Result>(work: (index: number) => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: parallel }, (_, index) => work(index)));
const connect = async (who: Agent): Promise<Tokens> => (await who.redeem(node(0), await who.code(node(0)))).body as unknown as Tokens;

describe('two API processes on one database', () => {
  test(`give exactly one 200 for ${parallel} parallel redemptions of one code, and end the grant`, async () => {
    const code = await agent.code(node(0));
    const answers = await many((index) => agent.redeem(node(index), code));
    const won = answers.filter((answer) => answer.status === 200);
    expect(won).toHaveLength(1);
    for (const answer of answers.filter((each) => each.status !== 200))
      expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    const token = String(won[0]?.body['access_token']);
    expect((await agent.introspect(node(1), token)).body).toEqual({ active: false });
  });

  test(`answer ${parallel} parallel refreshes of one token with the identical pair`, async () => {
    const first = await connect(agent);
    const answers = await many((index) => agent.refresh(node(index), first.refresh_token));
    expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 200));
    const pairs = new Set(answers.map((answer) => `${answer.body['access_token']} ${answer.body['refresh_token']}`));
    expect(pairs.size).toBe(1);
    expect([...pairs][0]).not.toContain(first.refresh_token);
  });

  test(`give exactly one 200 for ${parallel} parallel refreshes where the window is 0, and end the grant`, async () => {
    const first = await connect(strict);
    const answers = await many((index) => strict.refresh(node(index), first.refresh_token));
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
    for (const answer of answers.filter((each) => each.status !== 200))
      expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    const winner = answers.find((answer) => answer.status === 200)?.body as unknown as Tokens;
    expect((await strict.refresh(node(1), winner.refresh_token)).body).toMatchObject({ error: 'invalid_grant' });
  });

  test('end the grant when a refresh token from two generations ago comes back', async () => {
    const first = await connect(agent);
    const second = (await agent.refresh(node(0), first.refresh_token)).body as unknown as Tokens;
    const third = (await agent.refresh(node(1), second.refresh_token)).body as unknown as Tokens;
    expect((await agent.introspect(node(0), third.access_token)).body).toMatchObject({ active: true });
    expect(await agent.refresh(node(0), first.refresh_token)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect((await agent.introspect(node(1), third.access_token)).body).toEqual({ active: false });
    expect(await agent.refresh(node(1), third.refresh_token)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('say inactive on the other process at once after a revocation, 1,000 times of 1,000', async () => {
    let stale = 0;
    // Without a worker there is no snapshot, so a grant is read whole: twenty grants of fifty rounds each stay short.
    for (let grant = 0; grant < 20; grant += 1) {
      let tokens = await connect(agent);
      for (let round = 0; round < 50; round += 1) {
        expect((await agent.revoke(node(round), tokens.access_token)).status).toBe(200);
        if ((await agent.introspect(node(round + 1), tokens.access_token)).body['active'] !== false) stale += 1;
        tokens = (await agent.refresh(node(round), tokens.refresh_token)).body as unknown as Tokens;
        expect(tokens.access_token).toBeTypeOf('string');
      }
    }
    expect(stale).toBe(0);
  });
});
