import { type SigningKey, signJwt } from '@grantlog/crypto';
import { jwtBearerGrant, tokenExchangeGrant } from '@grantlog/domain';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Answer, basic, post } from '../support/agent.ts';
import { type ConsentFlow, createConsentFlow } from '../support/consent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { openTrustedSite, type TrustedSite } from '../support/trusted-site.ts';
import { openWorkbench, type TestClient, type Workbench } from '../support/workbench.ts';

type Fields = Readonly<Record<string, string>>;

const platform = 'agents';
const calendar = 'https://calendar.example/mcp';
const mail = 'https://mail.example/api';
const grantTypes = ['authorization_code', 'refresh_token', 'client_credentials', tokenExchangeGrant, jwtBearerGrant] as const;

let site: TrustedSite;
let deployment: Deployment;
let bench: Workbench;
let flow: ConsentFlow;
let assistant: TestClient;
let calendarServer: TestClient;
let mailServer: TestClient;
let outsider: TestClient;
let elsewhere: TestClient;
let provider: SigningKey;
/** What must be found in no log. */
const shown: string[] = [];

const configure = (name: string) =>
  bench.configure(name, {
    resources: [calendar, mail].map((uri) => ({ uri, name: uri, scopes: ['read', 'write'] })),
    grantTypes,
    trustedIssuers: [{ issuer: site.origin, jwksUri: `${site.origin}/keys`, emailDomains: ['corp.example'], createAccounts: true }],
  });

beforeAll(async () => {
  site = await openTrustedSite();
  provider = await site.publishKey();
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 2, workers: 0, settings: site.settings });
  bench = openWorkbench(deployment);
  await configure(platform);
  await configure('others');
  const client = (of: { readonly serves?: readonly string[] } = {}, at = platform) => bench.client(at, { grantTypes, ...of });
  assistant = await client();
  calendarServer = await client({ serves: [calendar] });
  mailServer = await client({ serves: [mail] });
  outsider = await client();
  elsewhere = await client({ serves: [calendar] }, 'others');
  flow = createConsentFlow({ deployment, platform, client: assistant, account: await bench.account(platform) });
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
  await site.close();
});

/** Sends a form to one API process or the other. */
const send = async (node: 0 | 1, path: string, form: Fields, by: TestClient, at = platform): Promise<Answer> => {
  const answer = await post(`${deployment.apis[node]?.url}/${at}${path}`, form, { authorization: basic(by) });
  if (typeof answer.body['access_token'] === 'string') shown.push(answer.body['access_token']);
  return answer;
};
const allow = async () => {
  const code = await flow.code({ scope: 'read', resource: calendar });
  const { body } = await flow.redeem(code, { resource: calendar });
  const [token, refreshToken] = [String(body['access_token']), String(body['refresh_token'])];
  shown.push(token, refreshToken);
  return { token, refreshToken };
};
const exchange = (node: 0 | 1, token: string, by: TestClient, more: Fields = {}, at = platform): Promise<Answer> =>
  send(
    node,
    '/oauth/token',
    {
      grant_type: tokenExchangeGrant,
      subject_token: token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      ...more,
    },
    by,
    at,
  );
const isActive = async (node: 0 | 1, token: string, by: TestClient): Promise<unknown> =>
  (await send(node, '/oauth/introspect', { token }, by)).body['active'];
const nodeOf = (index: number): 0 | 1 => (index % 2 === 0 ? 0 : 1);

describe('a token that a person’s app was given', () => {
  test('is exchanged by the server it is for, and by nobody else who holds it', async () => {
    const { token } = await allow();
    for (const by of [outsider, mailServer])
      expect(await exchange(1, token, by)).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    expect(await exchange(0, token, elsewhere, {}, 'others')).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    expect(await exchange(1, token, calendarServer)).toMatchObject({ status: 200, body: { scope: 'read' } });
  });

  test.each([
    ['a scope', { scope: 'read write' }, 'invalid_scope'],
    ['a resource', { resource: mail }, 'invalid_target'],
    ['an audience', { audience: mail }, 'invalid_target'],
    ['a refresh token', { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }, 'invalid_request'],
  ] as const)('is not exchanged for more than it is: %s', async (_, more, error) => {
    const { token } = await allow();
    expect(await exchange(0, token, calendarServer, more)).toMatchObject({ status: 400, body: { error } });
  });

  test('takes what it was exchanged for with it, on every process at once, however many exchanges were under way', async () => {
    const { token, refreshToken } = await allow();
    const under = Array.from({ length: 50 }, (_, index) => exchange(nodeOf(index), token, calendarServer));
    const revoked = send(0, '/oauth/revoke', { token: refreshToken }, assistant);
    const answers = await Promise.all(under);
    expect((await revoked).status).toBe(200);
    for (const [index, { status, body }] of answers.entries()) {
      expect([200, 400]).toContain(status);
      if (status === 200) expect(await isActive(nodeOf(index + 1), String(body['access_token']), calendarServer)).toBe(false);
    }
    expect(await exchange(1, token, calendarServer)).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });
});

describe('an assertion of an identity provider', () => {
  const assert = async (change: Readonly<Record<string, unknown>> = {}): Promise<string> => {
    const seconds = Math.floor(Date.now() / 1000);
    const sub = crypto.randomUUID();
    const claims = {
      iss: site.origin,
      aud: `${deployment.publicUrl}/${platform}`,
      client_id: assistant.client_id,
      sub,
      email: `${sub}@corp.example`,
      jti: crypto.randomUUID(),
      iat: seconds,
      exp: seconds + 300,
      resource: calendar,
      scope: 'read',
      ...change,
    };
    const assertion = await signJwt({ key: provider, typ: 'oauth-id-jag+jwt', claims });
    shown.push(assertion, claims.email);
    return assertion;
  };
  const show = (node: 0 | 1, assertion: string, by = assistant, at = platform): Promise<Answer> =>
    send(node, '/oauth/token', { grant_type: jwtBearerGrant, assertion }, by, at);

  test('gives one token, of fifty uses at once on two processes', async () => {
    const assertion = await assert();
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => show(nodeOf(index), assertion)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const { body } of answers.filter(({ status }) => status !== 200)) expect(body['error']).toBe('invalid_grant');
    const given = answers.find(({ status }) => status === 200)?.body['access_token'];
    expect(await isActive(1, String(given), calendarServer)).toBe(true);
  });

  test('gives nothing on another platform, nor to another client', async () => {
    expect(await show(0, await assert(), outsider)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    const abroad = await assert({ client_id: elsewhere.client_id });
    expect(await show(1, abroad, elsewhere, 'others')).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('gives a token that may be exchanged, and that no exchange outlives', async () => {
    const { body } = await show(0, await assert());
    const token = String(body['access_token']);
    const passed = String((await exchange(1, token, calendarServer)).body['access_token']);
    expect(await isActive(0, passed, calendarServer)).toBe(true);
    await send(0, '/oauth/revoke', { token }, assistant);
    expect(await isActive(1, passed, calendarServer)).toBe(false);
  });
});

test('no log of any process has a token, an assertion or an email of these', async () => {
  const logs = await deployment.allLogs();
  expect(shown.length).toBeGreaterThan(20);
  for (const secret of shown) expect(logs).not.toContain(secret);
});
