import { createFormBrowser, decideAs } from '@grantlog/cli';
import type { GrantId } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { readEventsAfter, readHead } from '@grantlog/postgres';
import { changeClient, revokeGrant } from '@grantlog/provisioning';
import * as openid from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { answerOf, type ConsentFlow, createConsentFlow } from '../support/consent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import type { Visitor } from '../support/visitor.ts';
import { by, openWorkbench, type TestAccount, type TestClient, type Workbench } from '../support/workbench.ts';

/** Consent that is remembered, by two API processes: what one has recorded, the other knows at once. */
const platform = 'memory' as PlatformId;
const parallel = 50;

let deployment: Deployment;
let bench: Workbench;
let client: TestClient;
let account: TestAccount;
let flow: ConsentFlow;

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 2, workers: 0 });
  bench = openWorkbench(deployment);
  await bench.configure(platform, { consent: { remember: true } });
});
beforeEach(async () => {
  [client, account] = [await bench.client(platform), await bench.account(platform, { displayName: 'Ada Person' })];
  flow = createConsentFlow({ deployment, platform, client, account });
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
});

let turn = 0;
/** Every request goes to the next process. */
const reach = (url: string): string => {
  turn += 1;
  const { pathname, search } = new URL(url);
  return `${deployment.apis[turn % deployment.apis.length]?.url}${pathname}${search}`;
};
const visit = (visitor: Visitor, change: Readonly<Record<string, string>> = {}) => visitor.open(reach(flow.authorizeUrl(change)));

const head = (): Promise<number> => readHead(bench.context.pool, platform);
const since = (position: number) => readEventsAfter(bench.context.pool, { platform, after: position, limit: 1_000 });

/** A browser whose person has allowed the request, and the grant of it. */
const allowed = async (): Promise<{ readonly visitor: Visitor; readonly grant: GrantId }> => {
  const before = await head();
  const { visitor, page } = await flow.atConsent();
  expect((await flow.decide(visitor, page, 'allow')).location).not.toBeNull();
  const granted = (await since(before)).find(({ type }) => type === 'grant.authorized');
  return { visitor, grant: granted?.streamId as GrantId };
};

describe('two API processes', () => {
  test(`answer ${parallel} parallel requests of one person with ${parallel} grants of their own, and forget one without the others`, async () => {
    const { visitor, grant } = await allowed();
    const before = await head();
    const answers = await Promise.all(Array.from({ length: parallel }, () => visit(visitor)));
    const codes = answers.map((answer) => answerOf(answer)['code'] ?? '');
    expect(new Set(codes).size).toBe(parallel);
    const events = await since(before);
    expect(events.map(({ type }) => type)).toEqual(Array.from({ length: parallel }, () => 'grant.authorized'));
    expect(events).toMatchObject(Array.from({ length: parallel }, () => ({ data: { remembered: grant } })));
    expect(new Set(events.map(({ streamId }) => streamId)).size).toBe(parallel);

    const tokens = await Promise.all(codes.slice(0, 3).map((code) => flow.redeem(code)));
    expect(tokens.map(({ status }) => status)).toEqual([200, 200, 200]);
    const [first, ...others] = tokens.map(({ body }) => String(body['access_token']));
    await flow.revoke(first ?? '');
    expect((await flow.introspect(first ?? '')).body).toEqual({ active: false });
    for (const token of others) expect((await flow.introspect(token)).body).toMatchObject({ active: true });
  });

  test('give nothing at a position after the consent was taken back, of requests that race with it', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { visitor, grant } = await allowed();
      const before = await head();
      const visits = Array.from({ length: 18 }, () => visit(visitor));
      await Promise.race(visits);
      await revokeGrant(bench.context, by, { platform, grant });
      const answers = await Promise.all(visits);
      const events = await since(before);
      const revokedAt = events.find(({ type }) => type === 'grant.revoked')?.position ?? 0;
      const granted = events.filter(({ type }) => type === 'grant.authorized');
      expect(granted.filter(({ position }) => position > revokedAt)).toEqual([]);
      expect(answers.filter((answer) => answerOf(answer)['code'] !== undefined)).toHaveLength(granted.length);
      for (const answer of answers.filter(({ location }) => location === null)) expect(answer.text).toContain('name="decision"');
    }
  });

  test('know at once what the other has remembered and forgotten, 50 times of 50', async () => {
    const { visitor } = await allowed();
    let wrong = 0;
    for (let round = 0; round < 50; round += 1) {
      const page = await visit(visitor, { prompt: 'consent' });
      await visitor.post(reach(flow.at('/consent')), { ...page.hidden, decision: 'deny' });
      const asked = await visit(visitor);
      if (asked.location !== null) wrong += 1;
      await visitor.post(reach(flow.at('/consent')), { ...asked.hidden, decision: 'allow' });
      const answered = await visit(visitor, { prompt: 'none', state: `state-${round}` });
      if (answerOf(answered)['code'] === undefined) wrong += 1;
    }
    expect(wrong).toBe(0);
  });

  test('ask again, and write nothing, once what was allowed has changed', async () => {
    const { visitor } = await allowed();
    expect(answerOf(await visit(visitor))['code']).toBeTypeOf('string');
    const before = await head();
    const resource = `${deployment.publicUrl}/${platform}/api`;
    // The only resource there is was meant all along.
    for (const same of [{ resource }, { state: 'another' }, { nonce: 'another' }])
      expect(answerOf(await visit(visitor, { prompt: 'none', ...same }))['code']).toBeTypeOf('string');
    const unchanged = await head();
    expect(unchanged).toBe(before + 3);
    for (const other of [{ scope: 'openid' }, { scope: 'openid read write' }, { claims: '{"id_token":{"email":null}}' }])
      expect(answerOf(await visit(visitor, { prompt: 'none', ...other }))['error']).toBe('consent_required');
    expect((await visit(visitor, { prompt: 'consent' })).text).toContain('name="decision"');
    expect(await head()).toBe(unchanged);
  });

  test('redirect nobody to a client that was disabled, or has lost the redirect URI or a scope', async () => {
    const { visitor } = await allowed();
    const change = (command: Parameters<typeof changeClient>[2]['command']) =>
      changeClient(bench.context, by, { platform, clientId: client.client_id, command });
    await change({ type: 'update', changes: { scopes: ['openid'] } });
    expect(answerOf(await visit(visitor))['error']).toBe('invalid_scope');
    await change({ type: 'update', changes: { scopes: null, redirectUris: ['https://client.example/moved'] } });
    expect(await visit(visitor)).toMatchObject({ status: 400, location: null });
    await change({ type: 'update', changes: { redirectUris: [client.redirect_uri] } });
    await change({ type: 'disable', reason: 'test' });
    expect(await visit(visitor, { prompt: 'none' })).toMatchObject({ status: 400, location: null });
    await change({ type: 'enable' });
    expect(answerOf(await visit(visitor))['code']).toBeTypeOf('string');
  });
});

describe('openid-client, as it is published', () => {
  const viaNodes = (url: string | URL | Request, init?: object): Promise<Response> => fetch(reach(String(url)), init as RequestInit);

  test('renews without a page by prompt=none, with max_age, claims and the hint of the ID token it has', async () => {
    const issuer = new URL(`${deployment.publicUrl}/${platform}`);
    const config = await openid.discovery(issuer, client.client_id, undefined, openid.ClientSecretBasic(client.client_secret), {
      execute: [openid.allowInsecureRequests, openid.enableNonRepudiationChecks],
      [openid.customFetch]: viaNodes,
    });
    expect(config.serverMetadata()).toMatchObject({ claims_parameter_supported: true });
    const pkceCodeVerifier = openid.randomPKCECodeVerifier();
    const urlOf = async (more: Record<string, string>): Promise<string> =>
      reach(
        openid.buildAuthorizationUrl(config, {
          redirect_uri: client.redirect_uri,
          scope: 'openid read',
          claims: JSON.stringify({ id_token: { email: { essential: true }, auth_time: { essential: true } }, userinfo: { name: null } }),
          code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
          code_challenge_method: 'S256',
          max_age: '600',
          state: 'state-1',
          ...more,
        }).href,
      );
    const checks = { pkceCodeVerifier, expectedState: 'state-1', idTokenExpected: true, maxAge: 600 };
    const browser = createFormBrowser({ origin: new URL(deployment.publicUrl).origin });

    const nobody = new URL((await browser.open(await urlOf({ prompt: 'none' }))).location ?? '');
    await expect(openid.authorizationCodeGrant(config, nobody, checks)).rejects.toMatchObject({ error: 'login_required' });
    const first = await openid.authorizationCodeGrant(
      config,
      await decideAs(browser, await urlOf({}), { ...account, decision: 'allow' }),
      checks,
    );
    expect(first.claims()).toMatchObject({ sub: account.id, email: account.email, auth_time: expect.any(Number), sid: expect.any(String) });
    const silent = await browser.open(await urlOf({ prompt: 'none', id_token_hint: first.id_token ?? '' }));
    const renewed = await openid.authorizationCodeGrant(config, new URL(silent.location ?? ''), checks);
    const { sub, email, auth_time, sid } = first.claims() as openid.IDToken;
    expect(renewed.claims()).toMatchObject({ sub, email, auth_time, sid });
    expect(await openid.fetchUserInfo(config, renewed.access_token, account.id)).toEqual({ sub, name: 'Ada Person' });
    const other = new URL((await browser.open(await urlOf({ prompt: 'none', scope: 'openid write' }))).location ?? '');
    await expect(openid.authorizationCodeGrant(config, other, checks)).rejects.toMatchObject({ error: 'consent_required' });
  });
});
