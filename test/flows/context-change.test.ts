import { startWebhookReceiver } from '@grantlog/cli';
import { tokenExchangeGrant } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { readEventsAfter, readHead } from '@grantlog/postgres';
import { registerEndpoint } from '@grantlog/provisioning';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { basic, post } from '../support/agent.ts';
import { createSafes, family, type Safes, work } from '../support/contexts.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { eventually } from '../support/eventually.ts';
import type { Visit, Visitor } from '../support/visitor.ts';
import { by, openWorkbench, type TestAccount, type Workbench } from '../support/workbench.ts';

let deployment: Deployment;
let bench: Workbench;
let safes: Safes;
let vaults: Safes;

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 2, workers: 1 });
  bench = openWorkbench(deployment);
  safes = await createSafes({ deployment, bench, platform: 'safes', required: false });
  vaults = await createSafes({ deployment, bench, platform: 'vaults', required: false });
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
});

const during = async <Result>(task: () => Promise<Result>, platform: PlatformId = safes.platform) => {
  const { pool } = bench.context;
  const after = await readHead(pool, platform);
  const result = await task();
  const events = await readEventsAfter(pool, { platform, after, limit: 1_000 });
  return { result, events, types: events.map(({ type }) => type) };
};

const signedIn = async (account: TestAccount, world: Safes = safes): Promise<Visitor> => {
  const flow = world.flowOf(account);
  const visitor = flow.newVisitor();
  await flow.signIn(visitor, await visitor.open(flow.at('/connections')), account, { back: 'connections' });
  return visitor;
};
/** The list once it has this grant: nobody told the page how far the log is. */
const listed = (visitor: Visitor, grant: string): Promise<Visit> =>
  eventually('the connection', async () => {
    const page = await visitor.open(safes.at(0, '/connections'));
    return page.text.includes(grant) ? page : null;
  });
const change = (visitor: Visitor, page: Visit, grant: string, context: string): Promise<Visit> =>
  visitor.post(safes.at(0, '/connections/context'), { csrf: page.hidden['csrf'] ?? '', grant, context });
const grantOf = async (token: string): Promise<string> => String((await safes.introspect(token)).body['grant_id']);
const contextOf = async (token: string, node = 1): Promise<unknown> => (await safes.introspect(token, safes.server, node)).body['context'];

test('the owner changes what a connection is for, and everybody is told at once', async () => {
  const receiver = await startWebhookReceiver();
  const registered = await registerEndpoint(bench.context, by, {
    platform: safes.platform,
    manager: { kind: 'operator' },
    clientId: safes.app.client_id,
    grants: null,
    webhookToken: null,
    headers: {},
    signature: 'v1',
    isDevelopment: true,
    url: receiver.url,
    types: ['grant.context_selected'],
    ordered: false,
    concurrency: 4,
    description: 'contexts',
  });
  if ('refusal' in registered || registered.shown.signature !== 'v1') throw new Error('no endpoint');
  receiver.useSecret(registered.shown.secret);
  const account = await safes.person(family, work);
  const { access, refresh, flow } = await safes.connect(account, { context: family.id });
  const grant = await grantOf(access);
  const visitor = await signedIn(account);
  const page = await listed(visitor, grant);
  for (const shown of ['For which Safe', 'Family &lt;b&gt;', '<option value="safe_work">Work</option>']) expect(page.text).toContain(shown);
  const { result, events } = await during(() => change(visitor, page, grant, work.id));
  expect(events.map(({ type, data }) => [type, data])).toEqual([['grant.context_selected', { context: work.id }]]);
  expect(events[0]?.actor).toEqual({ kind: 'account', id: account.id });
  expect([result.status, result.text.includes('is for another one now'), result.text.includes('value="safe_family"')]).toEqual([
    200,
    true,
    true,
  ]);
  expect([await contextOf(access, 0), await contextOf(access, 1)]).toEqual([work.id, work.id]);
  expect(await contextOf(String((await flow.refresh(refresh)).body['access_token']))).toBe(work.id);
  const told = await receiver.waitFor(({ data }) => data['grantId'] === grant && data['context'] === work.id, 15);
  expect(told).toMatchObject({ type: 'grant.context_selected' });
  expect(JSON.stringify(told)).not.toContain('Work');
  await receiver.close();
});

test('nobody changes what is not theirs, or to what is not', async () => {
  const account = await safes.person(family, work);
  const thief = await safes.person(family, work);
  const { access } = await safes.connect(account, { context: family.id });
  const pinned = await safes.connect(account, {}, { resource: `${safes.resource}/${family.id}` });
  const [grant, pinnedGrant] = [await grantOf(access), await grantOf(pinned.access)];
  const visitor = await signedIn(account);
  const page = await listed(visitor, grant);
  const other = await signedIn(thief);
  const theirs = await other.open(safes.at(0, '/sign-in'));
  const refused = async (asked: () => Promise<Visit>): Promise<readonly unknown[]> => {
    const { result, types } = await during(asked);
    return [result.status, types];
  };
  for (const id of [grant, pinnedGrant, crypto.randomUUID(), 'x', '', thief.id])
    expect([id, ...(await refused(() => change(other, theirs, id, work.id)))]).toEqual([id, 404, []]);
  for (const context of ['safe_nobody', '', '__proto__', account.id])
    expect([context, ...(await refused(() => change(visitor, page, grant, context)))]).toEqual([context, 404, []]);
  expect(await refused(() => change(visitor, page, pinnedGrant, work.id))).toEqual([409, []]);
  // The same once more is no change, and neither is what comes from elsewhere.
  expect(await refused(() => change(visitor, page, grant, family.id))).toEqual([200, []]);
  expect(await refused(() => change(visitor, { ...page, hidden: {} }, grant, work.id))).toEqual([403, []]);
  expect(
    (
      await visitor.post(
        safes.at(0, '/connections/context'),
        { ...page.hidden, grant, context: work.id },
        { origin: 'https://evil.example' },
      )
    ).status,
  ).toBe(403);
  expect((await safes.flowOf(account).newVisitor().open(safes.at(0, '/connections'))).text).not.toContain(grant);
  expect(await contextOf(access)).toBe(family.id);
});

test('of two browsers the later choice stands, and an ended connection has none', async () => {
  const account = await safes.person(family, work);
  const { access } = await safes.connect(account, {});
  const grant = await grantOf(access);
  const [one, other] = [await signedIn(account), await signedIn(account)];
  const [first, second] = [await listed(one, grant), await listed(other, grant)];
  expect(first.text).toContain('<dd>None</dd>');
  expect((await change(one, first, grant, family.id)).status).toBe(200);
  expect((await change(other, second, grant, work.id)).status).toBe(200);
  expect(await contextOf(access)).toBe(work.id);
  await safes.give(account, work);
  const gone = await change(one, first, grant, family.id);
  expect([gone.status, gone.text.includes('<dd>Work</dd>')]).toEqual([404, true]);
  await safes.give(account, family);
  expect((await one.open(safes.at(1, '/connections'))).text).toContain('One that is not yours any more');
  expect((await one.post(safes.at(0, '/connections'), { csrf: first.hidden['csrf'] ?? '', grant })).status).toBe(200);
  expect((await change(one, first, grant, work.id)).status).toBe(404);
});

test('the resource server changes it for the bearer of a token', async () => {
  const account = await safes.person(family, work);
  const { access, refresh, flow } = await safes.connect(account, {});
  const first = await during(() => safes.select(access, work.id, safes.server, 1));
  expect(first.result).toMatchObject({ status: 200, body: { context: work.id, previous_context: null } });
  expect(first.result.headers.get('cache-control')).toContain('no-store');
  expect(first.events.map(({ type }) => type)).toEqual(['grant.context_selected']);
  expect(first.events[0]?.actor.kind).toBe('client');
  expect((await safes.select(access, family.id)).body).toEqual({ context: family.id, previous_context: work.id });
  const same = await during(() => safes.select(access, family.id));
  expect([same.result.body, same.types]).toEqual([{ context: family.id, previous_context: family.id }, []]);
  // The account had it, and has it no more: nothing stands there that one could have changed from.
  await safes.give(account, work);
  expect((await safes.select(access, family.id)).status).toBe(404);
  expect((await safes.select(access, work.id)).body).toEqual({ context: work.id, previous_context: null });
  expect(await contextOf(String((await flow.refresh(refresh)).body['access_token']))).toBe(work.id);
});

test('nobody else does', async () => {
  const account = await safes.person(family, work);
  await safes.person({ id: 'safe_other', name: 'Other' });
  const { access, refresh } = await safes.connect(account, { context: family.id });
  const signed = await safes.connect(account, {}, { resource: safes.signed });
  const plain = await bench.client(safes.platform, { name: 'Serves nothing' });
  const half = await bench.client(safes.platform, { name: 'Serves the other', serves: [safes.signed] });
  const open = await bench.client(safes.platform, { kind: 'public', serves: [] });
  const asked = async (token: string, context: string, client = safes.server): Promise<readonly unknown[]> => {
    const { result, types } = await during(() => safes.select(token, context, client));
    return [result.status, result.body['error'], types];
  };
  for (const client of [plain, half, safes.app]) expect(await asked(access, work.id, client)).toEqual([400, 'invalid_token', []]);
  expect(await asked(signed.access, work.id, half)).toEqual([200, undefined, ['grant.context_selected']]);
  expect(await asked(access, work.id, { ...safes.server, client_secret: 'wrong' })).toEqual([401, 'invalid_client', []]);
  expect(await asked(access, work.id, open)).toEqual([401, 'invalid_client', []]);
  expect(await asked(access, work.id, vaults.server)).toEqual([401, 'invalid_client', []]);
  for (const token of [refresh, 'nonsense', `${access}x`, access.slice(0, -2)])
    expect(await asked(token, work.id)).toEqual([400, 'invalid_token', []]);
  for (const context of ['safe_other', 'safe_nobody', '../x', '__proto__', 'toString'])
    expect(await asked(access, context)).toEqual([404, 'unknown_context', []]);
  for (const form of [{ token: access }, { context: work.id }, { token: access, context: '' }])
    expect(await post(safes.at(0, '/oauth/context'), form as Record<string, string>, { authorization: basic(safes.server) })).toMatchObject(
      {
        status: 400,
        body: { error: 'invalid_request' },
      },
    );
  const elsewhere = await post(
    vaults.at(0, '/oauth/context'),
    { token: access, context: work.id },
    { authorization: basic(vaults.server) },
  );
  expect(elsewhere).toMatchObject({ status: 400, body: { error: 'invalid_token' } });
  await bench.configure('plain');
  const server = await bench.client('plain', { serves: [] });
  const none = await post(
    `${deployment.apis[0]?.url}/plain/oauth/context`,
    { token: access, context: work.id },
    { authorization: basic(server) },
  );
  expect(none.status).toBe(404);
  expect(await contextOf(access)).toBe(family.id);
});

test('what was exchanged has the context of the token that it stands on, and none of its own', async () => {
  const { access } = await safes.connect(await safes.person(family, work), { context: family.id });
  const token = 'urn:ietf:params:oauth:token-type:access_token';
  const exchanged = await post(
    safes.at(0, '/oauth/token'),
    { grant_type: tokenExchangeGrant, subject_token: access, subject_token_type: token },
    { authorization: basic(safes.app) },
  );
  const delegated = String(exchanged.body['access_token']);
  expect((await safes.introspect(delegated)).body).toMatchObject({ active: true, context: family.id, contexts: [family] });
  const { result, types } = await during(() => safes.select(delegated, work.id));
  expect([result.status, result.body['error'], types]).toEqual([409, 'context_pinned', []]);
  expect((await safes.introspect(delegated)).body).toMatchObject({ active: true, context: family.id });
  expect((await safes.select(access, work.id)).status).toBe(200);
  expect((await safes.introspect(delegated)).body).toEqual({ active: false });
});

test('of fifty choices at once each finds what the one before has left', async () => {
  const contexts = Array.from({ length: 50 }, (_, index) => ({ id: `safe_${index}`, name: `Safe ${index}` }));
  const { access } = await safes.connect(await safes.person(...contexts), {});
  const { result, types } = await during(() => Promise.all(contexts.map(({ id }, index) => safes.select(access, id, safes.server, index))));
  expect(result.map(({ status }) => status)).toEqual(contexts.map(() => 200));
  expect(types).toEqual(contexts.map(() => 'grant.context_selected'));
  const previous = result.map(({ body }) => body['previous_context']);
  expect(new Set(previous).size).toBe(50);
  const last = contexts.filter(({ id }) => !previous.includes(id)).map(({ id }) => id);
  expect([await contextOf(access)]).toEqual(last);
});

test('what is taken away while it is being chosen is never chosen after it', async () => {
  const account = await safes.person(family);
  const { access } = await safes.connect(account, {});
  const answers = { 200: 0, 404: 0 };
  const { events } = await during(async () => {
    for (let round = 0; Math.min(answers[200], answers[404]) < 10; round += 1) {
      await safes.give(account, family, work);
      const choices = [0, 1, 2].map((node) => safes.select(access, work.id, safes.server, node));
      // Sooner and later, so that either comes first some of the time.
      await new Promise((resolve) => setTimeout(resolve, (round % 12) * 4));
      await safes.give(account, family);
      for (const { status } of await Promise.all(choices)) answers[status as keyof typeof answers] += 1;
      await safes.select(access, family.id);
    }
  });
  let held: readonly unknown[] = [];
  for (const { type, data } of events as readonly { readonly type: string; readonly data: Readonly<Record<string, unknown>> }[]) {
    if (type === 'account.contexts_set') held = data['contexts'] as readonly unknown[];
    else expect([type, held.includes(data['context'])]).toEqual(['grant.context_selected', true]);
  }
});
