import * as jose from 'jose';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Answer, pkce, post } from '../support/agent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { createVisitor, type Visit } from '../support/visitor.ts';
import { openWorkbench, type TestAccount, type TestClient, type Workbench } from '../support/workbench.ts';

const platform = 'assertions';
const parallel = 50;
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
type Fields = Readonly<Record<string, string>>;

let deployment: Deployment;
let bench: Workbench;
let account: TestAccount;
let client: TestClient;
let issuer: string;
let privateKey: jose.CryptoKey;

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 2, workers: 0 });
  bench = openWorkbench(deployment);
  issuer = `${deployment.publicUrl}/${platform}`;
  // Two pages of one request are to wait for two answers.
  await bench.configure(platform, { consent: { remember: false } });
  account = await bench.account(platform);
  const pair = await jose.generateKeyPair('ES256');
  privateKey = pair.privateKey;
  const jwks = { keys: [{ ...(await jose.exportJWK(pair.publicKey)), kid: 'k' }] };
  client = await bench.client(platform, { authMethods: ['private_key_jwt'], extras: { jwks: jwks as never } });
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
});

const at = (path: string, index = 0): string => `${deployment.apis[index % deployment.apis.length]?.url}/${platform}${path}`;
const assertion = (jti: string = crypto.randomUUID()): Promise<string> =>
  new jose.SignJWT({ iss: client.client_id, sub: client.client_id, aud: issuer, jti })
    .setProtectedHeader({ alg: 'ES256', kid: 'k' })
    .setExpirationTime('1 minute')
    .sign(privateKey);
const show = (path: string, jwt: string, fields: Fields, index = 0): Promise<Answer> =>
  post(at(path, index), { client_assertion_type: assertionType, client_assertion: jwt, ...fields });
const many = <Result>(work: (index: number) => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: parallel }, (_, index) => work(index)));
const machine = { grant_type: 'client_credentials', scope: 'read' };
const usedBefore = { status: 401, body: { error: 'invalid_client', error_description: expect.stringContaining('used before') } };

describe('two API processes on one database', () => {
  test(`let in one of ${parallel} parallel uses of one assertion (FA-04)`, async () => {
    const jwt = await assertion();
    const answers = await many((index) => show('/oauth/token', jwt, machine, index));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 200)) expect(answer).toMatchObject(usedBefore);
  });

  test(`let in one of ${parallel} assertions that share a jti, and all of ${parallel} that do not`, async () => {
    const jti = crypto.randomUUID();
    const shared = await Promise.all(Array.from({ length: parallel }, () => assertion(jti)));
    const answers = await many((index) => show('/oauth/token', shared[index] ?? '', machine, index));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const distinct = await many(async (index) => show('/oauth/token', await assertion(), machine, index));
    expect(distinct.map(({ status }) => status)).toEqual(distinct.map(() => 200));
  });

  test('refuse an assertion at every other endpoint once it was shown at one, whatever came of it', async () => {
    for (const [first, fields] of [
      ['/oauth/token', machine],
      ['/oauth/token', { grant_type: 'refresh_token', refresh_token: 'nonsense' }],
      ['/oauth/introspect', { token: 'nonsense' }],
      ['/oauth/revoke', { token: 'nonsense' }],
      ['/oauth/par', {}],
    ] as const) {
      const jwt = await assertion();
      await show(first, jwt, fields);
      for (const [index, again] of ['/oauth/token', '/oauth/introspect', '/oauth/revoke', '/oauth/par'].entries())
        expect(await show(again, jwt, { ...machine, token: 'nonsense' }, index), `${first} ${again}`).toMatchObject(usedBefore);
    }
  });
});

describe('a pushed request', () => {
  const { challenge, verifier } = pkce();
  const push = async (): Promise<string> => {
    const asked = { response_type: 'code', redirect_uri: client.redirect_uri, scope: 'read', code_challenge: challenge };
    const answer = await show('/oauth/par', await assertion(), { ...asked, code_challenge_method: 'S256' });
    expect(answer.status).toBe(201);
    return String(answer.body['request_uri']);
  };
  const open = async (pages: number) => {
    const browser = createVisitor(new URL(deployment.publicUrl).origin);
    const form = await browser.open(at('/sign-in'));
    await browser.post(at('/sign-in'), { ...form.hidden, email: account.email, password: account.password });
    const query = new URLSearchParams({ client_id: client.client_id, request_uri: await push() });
    const seen: Visit[] = [];
    // One after the other, so that all of them are of one browser.
    for (let nth = 0; nth < pages; nth += 1) seen.push(await browser.open(at(`/oauth/authorize?${query}`, nth)));
    expect(seen.every(({ text }) => text.includes('name="decision"'))).toBe(true);
    return { browser, seen };
  };

  test(`is decided once by ${parallel} parallel clicks on as many pages of it`, async () => {
    const { browser, seen } = await open(parallel);
    const clicks = await many((index) => browser.post(at('/consent', index), { ...seen[index]?.hidden, decision: 'allow' }));
    const codes = clicks.flatMap(({ location }) => location?.searchParams.get('code') ?? []);
    expect(codes).toHaveLength(1);
    expect(clicks.filter(({ status, text }) => status === 400 && text.includes('decided already'))).toHaveLength(parallel - 1);
    const redeemed = { grant_type: 'authorization_code', code: codes[0] ?? '', code_verifier: verifier, redirect_uri: client.redirect_uri };
    expect((await show('/oauth/token', await assertion(), redeemed)).status).toBe(200);
  });

  test(`gives one code to ${parallel} parallel clicks on one page of it`, async () => {
    const { browser, seen } = await open(1);
    const clicks = await many((index) => browser.post(at('/consent', index), { ...seen[0]?.hidden, decision: 'allow' }));
    expect(new Set(clicks.map(({ location }) => location?.searchParams.get('code'))).size).toBe(1);
    expect(clicks.every(({ status }) => status === 303)).toBe(true);
  });
});
