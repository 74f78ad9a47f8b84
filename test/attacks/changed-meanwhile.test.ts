import type { PlatformId } from '@grantlog/eventsourcing';
import { changeClient } from '@grantlog/provisioning';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { createConsentFlow } from '../support/consent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { by, openWorkbench, type TestAccount, type TestClient, type Workbench } from '../support/workbench.ts';

/** What was shown, granted or sealed an hour ago does not outlive what operator and person have changed since. */
const platform = 'meanwhile' as PlatformId;

let deployment: Deployment;
let bench: Workbench;
let client: TestClient;
let account: TestAccount;
let flow: ReturnType<typeof createConsentFlow>;

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0 });
  bench = openWorkbench(deployment);
});
beforeEach(async () => {
  await bench.configure(platform);
  client = await bench.client(platform);
  account = await bench.account(platform);
  flow = createConsentFlow({ deployment, platform, client, account });
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
});

const update = (changes: object) =>
  changeClient(bench.context, by, { platform, clientId: client.client_id, command: { type: 'update', changes } });
const refresh = (token: unknown) =>
  fetch(flow.at('/oauth/token'), {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${client.client_id}:${client.client_secret}`)}` },
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: String(token) }),
  });

describe('a consent page', () => {
  test.each([
    ['its redirect URI', { redirectUris: ['https://other.example/cb'] }],
    ['a scope it shows', { scopes: ['openid'] }],
    ['the grant type', { grantTypes: ['client_credentials'] }],
  ])('grants nothing once the client has lost %s', async (_, changes) => {
    const { visitor, page } = await flow.atConsent();
    expect(await update(changes)).toMatchObject({ changed: true });
    const answer = await flow.decide(visitor, page, 'allow');
    expect(answer).toMatchObject({ status: 400, location: null });
    expect(answer.text).toContain('not allowed any more');
  });

  test('gives nobody the grant that another person allowed from the same sign-in page', async () => {
    const other = await bench.account(platform);
    const visitor = flow.newVisitor();
    const signInPage = await visitor.open(flow.authorizeUrl());
    const mine = await flow.decide(visitor, await flow.signIn(visitor, signInPage), 'allow');
    const theirs = await flow.decide(visitor, await flow.signIn(visitor, signInPage, other), 'allow');
    const codes = [mine, theirs].map((visit) => visit.location?.searchParams.get('code'));
    expect(codes[0]).toBeTypeOf('string');
    expect(codes[1]).toBeTypeOf('string');
    expect(codes[1]).not.toBe(codes[0]);
    const tokens = await flow.redeem(codes[1] ?? '');
    const info = await fetch(flow.at('/oauth/userinfo'), { headers: { authorization: `Bearer ${tokens.body['access_token']}` } });
    expect(await info.json()).toMatchObject({ sub: other.id });
  });

  test('is not shown to another person than id_token_hint names, who signs in instead (AZ-30)', async () => {
    const first = await flow.redeem(await flow.code());
    const url = flow.authorizeUrl({ id_token_hint: String(first.body['id_token']) });
    const visitor = flow.newVisitor();
    const other = await flow.signIn(visitor, await visitor.open(url), await bench.account(platform));
    expect(other.location?.searchParams.get('error')).toBe('login_required');
    expect(other.location?.searchParams.get('state')).toBe('state-1');
    const again = flow.newVisitor();
    expect((await flow.signIn(again, await again.open(url))).text).toContain('name="decision"');
  });
});

describe('a grant', () => {
  test('gives no scope that the client has lost, at redemption or at refresh, and gives it again when it is back', async () => {
    const code = await flow.code();
    await update({ scopes: ['openid'] });
    const first = await flow.redeem(code);
    expect(first).toMatchObject({ status: 200, body: { scope: 'openid' } });
    await update({ scopes: null });
    expect(await (await refresh(first.body['refresh_token'])).json()).toMatchObject({ scope: 'openid read' });
  });

  test('gives no token for a resource that the platform has lost', async () => {
    const first = await flow.redeem(await flow.code());
    await bench.configure(platform, { resources: [] });
    expect(await (await refresh(first.body['refresh_token'])).json()).toMatchObject({ error: 'invalid_target' });
    await bench.configure(platform);
    expect((await refresh(first.body['refresh_token'])).status).toBe(200);
  });

  test('outlives a change of the prefix that new tokens have', async () => {
    const first = await flow.redeem(await flow.code());
    await bench.configure(platform, { tokens: { prefix: 'other' } });
    const second = (await (await refresh(first.body['refresh_token'])).json()) as { readonly access_token: string };
    expect(second.access_token).toMatch(/^other_a/);
  });

  test('is for the only resource where the request named none', async () => {
    const first = await flow.redeem(await flow.code());
    const server = await bench.client(platform, { serves: [`${deployment.publicUrl}/${platform}/api`] });
    const answer = await fetch(flow.at('/oauth/introspect'), {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${server.client_id}:${server.client_secret}`)}` },
      body: new URLSearchParams({ token: String(first.body['access_token']) }),
    });
    expect(await answer.json()).toMatchObject({ active: true, aud: `${deployment.publicUrl}/${platform}/api` });
  });
});
