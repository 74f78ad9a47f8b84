import { deviceCodeGrant } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { readEventsAfter, readHead } from '@grantlog/postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createSignUps, type SignUps } from '../support/agent-session.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { appCode, enrol } from '../support/second-factor.ts';
import { openWorkbench, type Workbench } from '../support/workbench.ts';

const platform = 'signups' as PlatformId;

let deployment: Deployment;
let bench: Workbench;
let agents: SignUps;

const configure = (mfa: 'optional' | 'required') =>
  bench.configure(platform, {
    grantTypes: ['authorization_code', 'refresh_token', deviceCodeGrant],
    presetClients: [
      { clientId: 'unidentified-agent', name: 'Unidentified agent', type: 'public', grantTypes: [deviceCodeGrant, 'refresh_token'] },
    ],
    agentSignUp: { unidentifiedClient: 'unidentified-agent' },
    signIn: { mfa },
  });
const node = (index: number) => deployment.apis[index % deployment.apis.length] as { readonly url: string };

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 2, workers: 1 });
  bench = openWorkbench(deployment);
  await configure('optional');
  agents = createSignUps({ platform, publicUrl: `${deployment.publicUrl}/${platform}` });
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
});

const during = async (work: () => Promise<unknown>): Promise<readonly string[]> => {
  const { pool } = bench.context;
  const after = await readHead(pool, platform);
  await work();
  // What the worker records of webhooks meanwhile is not this test's matter.
  return (await readEventsAfter(pool, { platform, after, limit: 500 }))
    .map(({ type }) => type)
    .filter((type) => !type.startsWith('sign_in.'));
};

describe('fifty clicks on two processes', () => {
  test.each([
    ['the right number', (_: number, right: string) => ({ number: right }), [['session.linked', 'grant.authorized']]],
    ['no', () => ({ decision: 'deny' }), [['session.denied']]],
    [
      'each what it likes, the right number among them',
      (click: number, _: string, offered: readonly string[]) =>
        click % 4 === 3 ? { decision: 'deny' } : { number: offered[click % 3] ?? '' },
      [['session.linked', 'grant.authorized'], ['session.denied']],
    ],
  ])('of several people decide once: %s', async (_, fields, outcomes) => {
    const people = await Promise.all(Array.from({ length: 5 }, () => bench.account(platform)));
    for (let round = 0; round < 3; round += 1) {
      const signUp = await agents.begin(node(round));
      const pages = await Promise.all(people.map((person, index) => agents.atConnect(node(index), signUp, person)));
      const offered = agents.offeredBy(pages[0]?.page as never);
      const types = await during(() =>
        Promise.all(
          Array.from({ length: 50 }, (__, click) => {
            const { visitor, page } = pages[click % pages.length] as (typeof pages)[number];
            const sent = fields(click, String(signUp.number), offered) as Readonly<Record<string, string>>;
            return agents.answer(node(click), visitor, page, sent);
          }),
        ),
      );
      expect(outcomes).toContainEqual(types);
      const redeemed = await agents.redeem(node(round + 1), signUp);
      expect(redeemed.status).toBe(types.includes('session.linked') ? 200 : 400);
    }
  });
});

describe('a person on the way to an agent', () => {
  test('types the code of their second factor, and is asked for the number then', async () => {
    const person = await bench.account(platform);
    const { secret } = await enrol(bench, platform, person);
    const signUp = await agents.begin(node(0));
    const visitor = agents.newVisitor();
    const form = await visitor.open(agents.at(node(0), agents.pathOf(signUp)));
    const step = await agents.signIn(node(1), visitor, form, person);
    expect([step.text.includes('name="code"'), step.text.includes('name="number"')]).toEqual([true, false]);
    const page = await visitor.post(agents.at(node(0), '/sign-in/code'), { ...step.hidden, code: appCode(secret, 1) });
    expect(agents.offeredBy(page)).toContain(String(signUp.number));
    const done = await agents.answer(node(1), visitor, page, { number: String(signUp.number) });
    expect([done.status, done.text.includes('<h1>Connected</h1>')]).toEqual([200, true]);
  });

  test('sets a second factor up where it is required, and goes on from the recovery codes', async () => {
    await configure('required');
    try {
      const person = await bench.account(platform);
      const signUp = await agents.begin(node(0));
      const visitor = agents.newVisitor();
      const form = await visitor.open(agents.at(node(0), agents.pathOf(signUp)));
      const enrolment = await agents.signIn(node(0), visitor, form, person);
      const secret = /<code>((?:[A-Z2-7]{4} ?){8})<\/code>/.exec(enrolment.text)?.[1]?.replaceAll(' ', '') ?? '';
      const codes = await visitor.post(agents.at(node(1), '/sign-in/enrolment'), { ...enrolment.hidden, code: appCode(secret) });
      expect(codes.text).toContain('Your recovery codes');
      const page = await visitor.post(agents.at(node(0), '/sign-in/continue'), codes.hidden);
      expect(agents.offeredBy(page)).toContain(String(signUp.number));
      const done = await agents.answer(node(0), visitor, page, { number: String(signUp.number) });
      expect(done.text).toContain('<h1>Connected</h1>');
    } finally {
      await configure('optional');
    }
  });
});
