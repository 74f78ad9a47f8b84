import { deviceCodeGrant } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { readEventsAfter, readHead } from '@grantlog/postgres';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { basic, post } from '../support/agent.ts';
import { answerOf, claimsOf } from '../support/consent.ts';
import { createSafes, family, navigate, type Safes, work } from '../support/contexts.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { openWorkbench, type Workbench } from '../support/workbench.ts';

let deployment: Deployment;
let bench: Workbench;
/** Where a person may choose a Safe, and where they have to. */
let safes: Safes;
let strict: Safes;

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 2, workers: 0 });
  bench = openWorkbench(deployment);
  safes = await createSafes({ deployment, bench, platform: 'safes', required: false });
  strict = await createSafes({ deployment, bench, platform: 'strict', required: true });
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
});

const during = async <Result>(platform: PlatformId, work: () => Promise<Result>) => {
  const { pool } = bench.context;
  const after = await readHead(pool, platform);
  const result = await work();
  return { result, types: (await readEventsAfter(pool, { platform, after, limit: 100 })).map(({ type }) => type) };
};

test('a person chooses a Safe, and the resource server is told which, and what else there is', async () => {
  const account = await safes.person(family, work);
  const { visitor, page } = await safes.flowOf(account).atConsent({ resource: safes.resource });
  for (const shown of ['Which Safe is it for?', 'Family &lt;b&gt;', 'None for now']) expect(page.text).toContain(shown);
  const { result, types } = await during(safes.platform, () => safes.flowOf(account).decide(visitor, page, 'allow', { context: work.id }));
  expect(types.filter((type) => type.startsWith('grant.'))).toEqual(['grant.authorized', 'grant.context_selected']);
  expect(answerOf(result)).toMatchObject({ state: 'state-1' });

  const { access, refresh, flow } = await safes.connect(account, { context: work.id });
  expect((await safes.introspect(access)).body).toMatchObject({ active: true, context: work.id, contexts: [family, work] });
  const own = (await safes.introspect(access, safes.app)).body;
  expect([own['active'], own['context'], own['contexts']]).toEqual([true, work.id, undefined]);
  const renewed = await flow.refresh(refresh);
  expect((await safes.introspect(String(renewed.body['access_token']))).body).toMatchObject({ context: work.id });
});

test('nobody has to choose where it is not required, and there is no choice without a Safe', async () => {
  const { access } = await safes.connect(await safes.person(family), {});
  const { body } = await safes.introspect(access);
  expect([body['active'], 'context' in body, body['contexts']]).toEqual([true, false, [family]]);
  const { page } = await safes.flowOf(await safes.person()).atConsent({ resource: safes.resource });
  expect(page.text).not.toContain('Which Safe');
});

test('a Safe has to be chosen where it is required', async () => {
  const account = await strict.person(family, work);
  const { visitor, page } = await strict.flowOf(account).atConsent({ resource: strict.resource });
  expect([page.text.includes('None for now'), page.text.includes('required>')]).toEqual([false, true]);
  const { result, types } = await during(strict.platform, () => strict.flowOf(account).decide(visitor, page, 'allow'));
  expect([result.status, types]).toEqual([400, []]);
  const denied = await strict.flowOf(account).decide(visitor, page, 'deny');
  expect(answerOf(denied)).toMatchObject({ error: 'access_denied' });
  const nothing = await strict.flowOf(await strict.person()).atConsent({ resource: strict.resource });
  expect([nothing.page.text.includes('You have no Safe yet'), nothing.page.text.includes('value="allow"')]).toEqual([true, false]);
});

test('what is not among the choices of the account at the click is refused', async () => {
  const account = await safes.person(family);
  const other = await safes.person(work);
  expect(other.id).not.toBe(account.id);
  const flow = safes.flowOf(account);
  const { visitor, page } = await flow.atConsent({ resource: safes.resource });
  for (const context of [work.id, 'safe_nobody', '../x', '__proto__', 'toString', `${family.id} `]) {
    const { result, types } = await during(safes.platform, () => flow.decide(visitor, page, 'allow', { context }));
    expect([context, result.status, result.location, types]).toEqual([context, 400, null, []]);
  }
  // Taken away while the page was open: the same commit that would grant it looks again.
  await safes.give(account, work);
  expect((await flow.decide(visitor, page, 'allow', { context: family.id })).status).toBe(400);
  expect((await flow.decide(visitor, page, 'allow', { context: work.id })).status).toBe(303);
});

test('a resource of one Safe pins the grant to it', async () => {
  const account = await safes.person(family, work);
  const resource = `${safes.resource}/${work.id}`;
  const { page, visitor } = await safes.flowOf(account).atConsent({ resource });
  expect([page.text.includes('It is for this Safe alone'), page.text.includes('type="radio"')]).toEqual([true, false]);
  expect((await safes.flowOf(account).decide(visitor, page, 'allow', { context: family.id })).status).toBe(400);
  const { access, refresh, flow } = await safes.connect(account, {}, { resource });
  expect((await safes.introspect(access)).body).toMatchObject({ active: true, aud: resource, context: work.id, contexts: [work] });
  expect(await safes.select(access, family.id)).toMatchObject({ status: 409, body: { error: 'context_pinned' } });
  // It is not for the whole, nor for another Safe, and asking costs nothing.
  for (const foreign of [safes.resource, `${safes.resource}/${family.id}`, `${resource}/`, 'https://elsewhere.example'])
    expect(await flow.refresh(refresh, { resource: foreign })).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
  expect((await flow.refresh(refresh, { resource })).status).toBe(200);
});

test('a resource of a Safe that the account does not have is offered to nobody', async () => {
  const account = await safes.person(family);
  await safes.person(work);
  for (const id of [work.id, 'safe_nobody']) {
    const { page, visitor } = await safes.flowOf(account).atConsent({ resource: `${safes.resource}/${id}` });
    expect([page.text.includes('This account does not have the Safe'), page.text.includes('value="allow"')]).toEqual([true, false]);
    const { result, types } = await during(safes.platform, () => safes.flowOf(account).decide(visitor, page, 'allow', { context: id }));
    expect([result.status, types]).toEqual([400, []]);
  }
});

test.each([
  ['of a path that is no id', '/mcp/v1/a/b'],
  ['that ends in a slash', '/mcp/v1/'],
  ['of an id with other characters', '/mcp/v1/a%2fb'],
  ['that is resolved away', '/mcp/v1/..'],
  ['of an id that is too long', `/mcp/v1/${'a'.repeat(65)}`],
])('refuses a resource %s', async (_, path) => {
  const flow = safes.flowOf(await safes.person(family));
  const answer = await flow.newVisitor().open(flow.authorizeUrl({ resource: `${safes.issuer}${path}` }));
  expect(answerOf(answer)).toMatchObject({ error: 'invalid_target' });
});

test('a resource is spelt as the platform spells it, forgiven a slash where it has no path, and refused before anything is spent', async () => {
  const bare = 'https://bare.example';
  const named = { uri: bare, name: 'Bare', scopes: ['read'] };
  const world = await createSafes({
    deployment,
    bench,
    platform: 'bare',
    required: false,
    document: { resources: [named] },
    serves: [bare],
  });
  const flow = world.flowOf(await world.person());
  for (const resource of ['', bare, `${bare}/`, 'HTTPS://Bare.Example']) {
    const code = await flow.code(resource === '' ? {} : { resource });
    for (const foreign of ['https://elsewhere.example', `${bare}/x`, 'bare', `${bare}/#x`]) {
      const { result, types } = await during(world.platform, () => flow.redeem(code, { resource: foreign }));
      expect([foreign, result.status, result.body['error'], types]).toEqual([foreign, 400, 'invalid_target', []]);
    }
    const { body } = await flow.redeem(code, { resource: `${bare}/` });
    expect((await world.introspect(String(body['access_token']))).body).toMatchObject({ active: true, aud: bare });
    const refresh = String(body['refresh_token']);
    const { result, types } = await during(world.platform, () => flow.refresh(refresh, { resource: 'https://elsewhere.example' }));
    expect([result.status, result.body['error'], types]).toEqual([400, 'invalid_target', []]);
    expect((await flow.refresh(refresh)).status).toBe(200);
  }
  for (const foreign of ['https://elsewhere.example', `${bare}/x`, 'bare']) {
    const { result, types } = await during(world.platform, () => flow.newVisitor().open(flow.authorizeUrl({ resource: foreign })));
    expect([answerOf(result)['error'], answerOf(result)['state'], types]).toEqual(['invalid_target', 'state-1', []]);
  }
});

test('one grant is for one Safe', async () => {
  const flow = safes.flowOf(await safes.person(family, work));
  const two = `&resource=${encodeURIComponent(`${safes.signed}/${family.id}`)}`;
  const answer = await flow.newVisitor().open(flow.authorizeUrl({ resource: `${safes.resource}/${work.id}` }) + two);
  expect(answerOf(answer)).toMatchObject({ error: 'invalid_target' });
});

test('a JWT says the Safe that it was issued for', async () => {
  const account = await safes.person(family, work);
  const { access, refresh, flow } = await safes.connect(account, { context: family.id }, { resource: safes.signed });
  expect(claimsOf(access)).toMatchObject({ aud: safes.signed, context: family.id });
  expect((await safes.select(access, work.id)).status).toBe(200);
  const renewed = String((await flow.refresh(refresh)).body['access_token']);
  expect([claimsOf(access)['context'], claimsOf(renewed)['context']]).toEqual([family.id, work.id]);
  const pinned = await safes.connect(account, {}, { resource: `${safes.signed}/${family.id}` });
  expect(claimsOf(pinned.access)).toMatchObject({ aud: `${safes.signed}/${family.id}`, context: family.id });
  expect((await safes.introspect(pinned.access)).body).toMatchObject({ active: true, context: family.id });
});

test('a Safe that is taken from the account is no context any more, and what needs it is dead', async () => {
  const account = await safes.person(family, work);
  const { access, refresh, flow } = await safes.connect(account, { context: work.id }, { resource: safes.signed });
  const pinned = await safes.connect(account, {}, { resource: `${safes.resource}/${work.id}` });
  await safes.give(account, family);
  const { body } = await safes.introspect(access);
  expect([body['active'], 'context' in body, body['contexts']]).toEqual([true, false, [family]]);
  const renewed = await flow.refresh(refresh);
  expect(claimsOf(renewed.body['access_token'])['context']).toBeUndefined();
  expect((await safes.introspect(pinned.access)).body).toEqual({ active: false });
  const { result, types } = await during(safes.platform, () => pinned.flow.refresh(pinned.refresh));
  expect([result.status, result.body['error'], types]).toEqual([400, 'invalid_grant', []]);
  await safes.give(account, family, work);
  expect((await safes.introspect(pinned.access)).body).toMatchObject({ active: true, context: work.id });
  expect((await pinned.flow.refresh(pinned.refresh)).status).toBe(200);
});

test('where a Safe is required, a token without one opens nothing', async () => {
  const account = await strict.person(family, work);
  const { access, refresh, flow } = await strict.connect(account, { context: work.id });
  expect((await strict.introspect(access)).body).toMatchObject({ active: true, context: work.id });
  await strict.give(account, family);
  expect((await strict.introspect(access)).body).toEqual({ active: false });
  expect(await flow.refresh(refresh)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  const asked = await fetch(`${strict.at(0, '/oauth/connect/accesstokenvalidation')}?token=${access}`);
  expect([asked.status, await asked.json()]).toMatchObject([400, { error: 'invalid_token' }]);
  // What this server is itself needs none.
  const answer = await fetch(strict.at(1, '/oauth/userinfo'), { headers: { authorization: `Bearer ${access}` } });
  expect(answer.status).toBe(200);
});

test('a consent that is remembered keeps the Safe, and is asked for anew once the Safe is gone', async () => {
  const kept = await createSafes({ deployment, bench, platform: 'kept', required: true, document: { consent: { remember: true } } });
  const account = await kept.person(family, work);
  const flow = kept.flowOf(account);
  const { visitor, page } = await flow.atConsent({ resource: kept.resource });
  expect((await flow.decide(visitor, page, 'allow', { context: work.id })).status).toBe(303);
  const again = await navigate(visitor, flow.authorizeUrl({ resource: kept.resource }));
  const { body } = await flow.redeem(again?.searchParams.get('code') ?? '');
  expect((await kept.introspect(String(body['access_token']))).body).toMatchObject({ active: true, context: work.id });
  await kept.give(account, family);
  expect(await navigate(visitor, flow.authorizeUrl({ resource: kept.resource }))).toBeNull();
  const silent = await navigate(visitor, flow.authorizeUrl({ resource: kept.resource, prompt: 'none' }));
  expect(silent?.searchParams.get('error')).toBe('interaction_required');
  // Another Safe's resource is another consent.
  expect((await visitor.open(flow.authorizeUrl({ resource: `${kept.resource}/${family.id}` }))).text).toContain(
    'It is for this Safe alone',
  );
});

test('a device is for the Safe that is chosen where its code is typed', async () => {
  const account = await strict.person(family, work);
  const device = await bench.client(strict.platform, { name: 'Frame', grantTypes: [deviceCodeGrant, 'refresh_token'] });
  const begin = async (resource: string) =>
    (await post(strict.at(0, '/oauth/device_authorization'), { resource, scope: 'read' }, { authorization: basic(device) })).body;
  const flow = strict.flowOf(account);
  const answer = async (resource: string, form: Readonly<Record<string, string>>) => {
    const begun = await begin(resource);
    const visitor = flow.newVisitor();
    const link = await visitor.open(String(begun['verification_uri_complete']));
    const page = await flow.signIn(visitor, link, account);
    const final = await visitor.post(flow.at('/connect'), { ...page.hidden, decision: 'allow', ...form });
    const redeemed = await post(
      strict.at(1, '/oauth/token'),
      { grant_type: deviceCodeGrant, device_code: String(begun['device_code']) },
      { authorization: basic(device) },
    );
    return { page, final, token: String(redeemed.body['access_token']) };
  };
  const chosen = await answer(strict.resource, { context: work.id });
  expect([chosen.page.text.includes('Which Safe is it for?'), chosen.final.status]).toEqual([true, 200]);
  expect((await strict.introspect(chosen.token)).body).toMatchObject({ active: true, context: work.id });
  expect((await answer(strict.resource, {})).final.status).toBe(400);
  expect((await answer(strict.resource, { context: 'safe_nobody' })).final.status).toBe(400);
  const pinned = await answer(`${strict.resource}/${family.id}`, {});
  expect(pinned.page.text).toContain('It is for this Safe alone');
  expect((await strict.introspect(pinned.token)).body).toMatchObject({ aud: `${strict.resource}/${family.id}`, context: family.id });
  expect((await strict.select(pinned.token, work.id)).status).toBe(409);
});
