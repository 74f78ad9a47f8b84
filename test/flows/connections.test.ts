import { deviceCodeGrant } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { readEventsAfter, readHead } from '@grantlog/postgres';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createSignUps, type SignUps } from '../support/agent-session.ts';
import { type ConsentFlow, createConsentFlow } from '../support/consent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import type { Visit, Visitor } from '../support/visitor.ts';
import { openWorkbench, type TestAccount, type Workbench } from '../support/workbench.ts';

const platform = 'connected' as PlatformId;

let deployment: Deployment;
let bench: Workbench;
let agents: SignUps;
let flow: ConsentFlow;
let person: TestAccount;

const node = (index: number) => deployment.apis[index % deployment.apis.length] as { readonly url: string };

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 2, workers: 1 });
  bench = openWorkbench(deployment);
  await bench.configure(platform, {
    grantTypes: ['authorization_code', 'refresh_token', 'client_credentials', deviceCodeGrant],
    presetClients: [
      { clientId: 'unidentified-agent', name: 'Unidentified agent', type: 'public', grantTypes: [deviceCodeGrant, 'refresh_token'] },
    ],
    agentSignUp: { unidentifiedClient: 'unidentified-agent' },
  });
  agents = createSignUps({ platform, publicUrl: `${deployment.publicUrl}/${platform}` });
  person = await bench.account(platform);
  flow = createConsentFlow({ deployment, platform, client: await bench.client(platform, { name: 'Calendar' }), account: person });
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
});

const signedIn = async (account: TestAccount): Promise<Visitor> => {
  const visitor = flow.newVisitor();
  const back = await flow.signIn(visitor, await visitor.open(flow.at('/connections')), account, { back: 'connections' });
  expect([back.status, back.location?.pathname]).toEqual([303, `/${platform}/connections`]);
  return visitor;
};
const listOf = async (visitor: Visitor, query = ''): Promise<Visit> => visitor.open(flow.at(`/connections${query}`));
const afterOf = (visit: Visit): string => /\/connections(\?after=\d+)"/.exec(visit.text)?.[1] ?? '';
const grantsIn = (visit: Visit): readonly string[] => [...visit.text.matchAll(/name="grant" value="([^"]+)"/g)].map(([, id = '']) => id);
/** The list as the last page leads to it. It waits for its reading half a second at most, so a busy machine asks again. */
const listAfter = async (visitor: Visitor, final: Visit): Promise<Visit> => {
  for (;;) {
    const page = await listOf(visitor, afterOf(final));
    if (grantsIn(page).length > 0) return page;
  }
};
const end = (visitor: Visitor, page: Visit, grant: string, change: Readonly<Record<string, string>> = {}): Promise<Visit> =>
  visitor.post(flow.at('/connections'), { csrf: page.hidden['csrf'] ?? '', grant, ...change });
const during = async <Result>(work: () => Promise<Result>) => {
  const { pool } = bench.context;
  const after = await readHead(pool, platform);
  const result = await work();
  return { result, types: (await readEventsAfter(pool, { platform, after, limit: 100 })).map(({ type }) => type) };
};

test('a stranger sees the sign-in form alone', async () => {
  const page = await listOf(flow.newVisitor());
  expect([page.status, page.text.includes('id="password"'), page.text.includes(person.email)]).toEqual([200, true, false]);
  const sent = await end(flow.newVisitor(), page, 'x');
  expect(sent.status).toBe(403);
});

test('an agent just connected is on the list that the last page leads to, and its end is seen at once everywhere', async () => {
  const account = await bench.account(platform);
  const { visitor, final, accessToken, refreshToken } = await agents.connect(node(0), account, {
    webhookUrl: 'http://127.0.0.1:9/hooks?key=canary',
    webhookToken: 'a-token-of-the-agent',
  });
  const page = await listAfter(visitor, final);
  for (const shown of ['Unidentified agent', 'nobody has verified it', '127.0.0.1', 'test-agent/1.0', '127.0.0.1:9', account.email])
    expect(page.text).toContain(shown);
  expect(page.text).not.toContain('canary');
  const [grant = ''] = grantsIn(page);
  const { result, types } = await during(() => end(visitor, page, grant));
  expect(types).toEqual(['session.revoked', 'grant.revoked']);
  expect([result.status, grantsIn(result), result.text.includes('The connection has ended')]).toEqual([200, [], true]);
  const used = await fetch(agents.at(node(1), '/oauth/userinfo'), { headers: { authorization: `Bearer ${accessToken}` } });
  expect(used.status).toBe(401);
  const refreshed = await fetch(agents.at(node(1), '/oauth/token'), {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken, client_id: 'unidentified-agent' }),
  });
  expect(refreshed.status).toBe(400);
  const again = await during(() => end(visitor, page, grant));
  expect([again.result.status, again.types]).toEqual([200, []]);
});

test('an app that came by a browser is ended by itself', async () => {
  const code = await flow.code();
  const tokens = await flow.redeem(code);
  expect(tokens.status).toBe(200);
  const visitor = await signedIn(person);
  const listed = async (): Promise<Visit> => {
    // Nothing told this page how far the log is; the list follows it within moments.
    for (;;) {
      const page = await listOf(visitor);
      if (page.text.includes('Calendar')) return page;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const page = await listed();
  expect(page.text).not.toContain('Told about your account at');
  const [grant = ''] = grantsIn(page);
  const thief = await signedIn(await bench.account(platform));
  const stolen = await during(async () => end(thief, await thief.open(flow.at('/sign-in')), grant));
  expect([stolen.result.status, stolen.types]).toEqual([404, []]);
  const { types } = await during(() => end(visitor, page, grant));
  expect(types).toEqual(['grant.revoked']);
  expect((await flow.introspect(String(tokens.body['access_token']))).body).toEqual({ active: false });
  expect(grantsIn(await listOf(visitor))).toEqual([]);
});

test('nobody ends what is not theirs', async () => {
  const [owner, thief] = [await bench.account(platform), await bench.account(platform)];
  const { visitor, final } = await agents.connect(node(0), owner);
  const page = await listAfter(visitor, final);
  const [grant = ''] = grantsIn(page);
  const other = await signedIn(thief);
  expect(grantsIn(await listOf(other, afterOf(final)))).toEqual([]);
  // An empty list has no form; any page of this browser has its token.
  const theirs = await other.open(flow.at('/sign-in'));
  for (const id of [grant, crypto.randomUUID(), 'x', '', owner.id, thief.id]) {
    const { result, types } = await during(() => end(other, theirs, id));
    expect([id, result.status, types, result.text.includes('no such connection')]).toEqual([id, 404, [], true]);
  }
  expect((await end(visitor, page, grant, { csrf: '' })).status).toBe(403);
  expect((await visitor.post(flow.at('/connections'), { ...page.hidden, grant }, { origin: 'https://evil.example' })).status).toBe(403);
  expect(grantsIn(await listOf(visitor))).toEqual([grant]);
});

test.each(['?after=x', '?after=0', '?before=-1', '?before=1&before=2'])('a list that nobody links to is refused: %s', async (query) => {
  expect((await listOf(await signedIn(person), query)).status).toBe(400);
});
