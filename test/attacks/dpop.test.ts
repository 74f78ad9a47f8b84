import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { basic, post } from '../support/agent.ts';
import { createConsentFlow } from '../support/consent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { createProofKey } from '../support/proof-key.ts';
import { openWorkbench, type TestClient, type Workbench } from '../support/workbench.ts';

/** One proof, shown as often as anybody likes, to whichever process: RFC 9449 §11.1 on a deployment of two. */
const platform = 'proofs';
const parallel = 50;

let deployment: Deployment;
let bench: Workbench;
let client: TestClient;
let flow: ReturnType<typeof createConsentFlow>;

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 2, workers: 0 });
  bench = openWorkbench(deployment);
  await bench.configure(platform);
  client = await bench.client(platform);
  flow = createConsentFlow({ deployment, platform, client, account: await bench.account(platform) });
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
});

const node = (index: number): string => deployment.apis[index % deployment.apis.length]?.url ?? '';
const many = <Result>(work: (index: number) => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: parallel }, (_, index) => work(index)));
const [tokenPath, userinfoPath] = [`/${platform}/oauth/token`, `/${platform}/oauth/userinfo`];
const proofAt = (key: ReturnType<typeof createProofKey>, method: string, path: string, token?: string): string =>
  key.proof({ method, url: deployment.publicUrl + path, ...(token === undefined ? {} : { token }) });

describe('one proof on two processes', () => {
  test(`gives tokens for one of ${parallel} requests`, async () => {
    const dpop = proofAt(createProofKey(), 'POST', tokenPath);
    const form = { grant_type: 'client_credentials', scope: 'read' };
    const answers = await many((index) => post(node(index) + tokenPath, form, { authorization: basic(client), dpop }));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const { status, body } of answers.filter((answer) => answer.status !== 200))
      expect({ status, error: body['error'] }).toEqual({ status: 400, error: 'invalid_dpop_proof' });
  });

  test(`lets one of ${parallel} in that show a stolen token with it`, async () => {
    const key = createProofKey();
    const redeemed = await flow.redeem(await flow.code(), {}, { authorization: basic(client), dpop: proofAt(key, 'POST', tokenPath) });
    expect(redeemed).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
    const token = String(redeemed.body['access_token']);
    const dpop = proofAt(key, 'GET', userinfoPath, token);
    const answers = await many((index) => fetch(node(index) + userinfoPath, { headers: { authorization: `DPoP ${token}`, dpop } }));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 200))
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, expect.stringMatching(/^DPoP .*invalid_dpop_proof/)]);
  });

  test('is good for no code: a stolen one is neither redeemed nor ended by whoever lacks the key', async () => {
    const key = createProofKey();
    const code = await flow.code({ dpop_jkt: key.jkt });
    for (const dpop of [undefined, proofAt(createProofKey(), 'POST', tokenPath)]) {
      const stolen = await flow.redeem(code, {}, { authorization: basic(client), ...(dpop === undefined ? {} : { dpop }) });
      expect(stolen).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    }
    const own = await flow.redeem(code, {}, { authorization: basic(client), dpop: proofAt(key, 'POST', tokenPath) });
    expect(own).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
  });

  test('answers a lost response with the identical pair on the other process, to a new proof of the same key alone', async () => {
    const key = createProofKey();
    const sent = () => ({ authorization: basic(client), dpop: proofAt(key, 'POST', tokenPath) });
    const { body } = await flow.redeem(await flow.code({ scope: 'openid offline_access' }), {}, sent());
    const form = { grant_type: 'refresh_token', refresh_token: String(body['refresh_token']) };
    const [lost, again] = [await post(node(0) + tokenPath, form, sent()), await post(node(1) + tokenPath, form, sent())];
    expect(lost.status).toBe(200);
    expect([again.body['access_token'], again.body['refresh_token']]).toEqual([lost.body['access_token'], lost.body['refresh_token']]);
    const thief = { authorization: basic(client), dpop: proofAt(createProofKey(), 'POST', tokenPath) };
    expect(await post(node(0) + tokenPath, form, thief)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    const next = { grant_type: 'refresh_token', refresh_token: String(again.body['refresh_token']) };
    expect(await post(node(0) + tokenPath, next, sent())).toMatchObject({ status: 200 });
  });

  test('is written nowhere', async () => {
    const jti = randomUUID();
    const proof = createProofKey().proof({ method: 'POST', url: deployment.publicUrl + tokenPath, claims: { jti } });
    const form = { grant_type: 'client_credentials', scope: 'read' };
    const headers = { authorization: basic(client), dpop: proof };
    for (let times = 0; times < 2; times += 1) await post(node(times) + tokenPath, form, headers);
    const logs = await deployment.allLogs();
    expect(logs).toContain('DPoP: replayed');
    for (const secret of [jti, proof.split('.')[2] ?? proof]) expect(logs).not.toContain(secret);
  });
});

test.each([
  ['too short', 'abc'],
  ['another form', `${'A'.repeat(42)}B`],
  ['not base64url', `${'+'.repeat(43)}`],
])('an authorization request with a dpop_jkt that is %s is refused to its client', async (_, dpop_jkt) => {
  const answer = await flow.newVisitor().open(flow.authorizeUrl({ dpop_jkt }));
  expect(Object.fromEntries(answer.location?.searchParams ?? [])).toMatchObject({
    error: 'invalid_request',
    error_description: expect.stringContaining('dpop_jkt'),
  });
});
