import { createPool, type Pool } from '@grantlog/postgres';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { createDevice, deviceDocument, deviceGrantTypes } from '../support/device.ts';
import { denySession, linkSession, sessionOf } from '../support/link-session.ts';
import { createVisitor } from '../support/visitor.ts';
import { openWorkbench, type TestAccount, type TestClient, type Workbench } from '../support/workbench.ts';

const platform = 'gadgets';
const parallel = 50;

let deployment: Deployment;
let bench: Workbench;
let pool: Pool;
let account: TestAccount;
let issuer: URL;

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 2, workers: 1 });
  bench = openWorkbench(deployment);
  pool = createPool({ connectionString: deployment.databaseUrl, role: 'grantlog_api', max: 2 });
  await bench.configure(platform, deviceDocument);
  account = await bench.account(platform);
  issuer = new URL(`${deployment.publicUrl}/${platform}`);
});
afterAll(async () => {
  await pool.end();
  await bench.close();
  await deployment.stop();
});

const node = (index: number) => deployment.apis[index % deployment.apis.length] as { readonly url: string };
let turn = 0;
/** Every request goes to the next process: what one has given, the other knows. */
const reach = (url: string): string => {
  turn += 1;
  return url.replace(deployment.publicUrl, node(turn).url);
};
const viaNodes = (url: string | URL | Request, init?: object): Promise<Response> => fetch(reach(String(url)), init as RequestInit);

type Begun = Awaited<ReturnType<typeof openid.initiateDeviceAuthorization>>;
/** A person who follows the link or types the code, signs in and answers. */
const decide = async (begun: Begun, by: { readonly way: 'link' | 'code'; readonly decision: 'allow' | 'deny' }): Promise<void> => {
  const { verification_uri: uri, verification_uri_complete: complete = '', user_code } = begun;
  const visitor = createVisitor(new URL(deployment.publicUrl).origin);
  const opened = await visitor.open(reach(by.way === 'link' ? complete : uri));
  const form = by.way === 'link' ? opened : await visitor.post(reach(uri), { ...opened.hidden, user_code });
  const { email, password } = account;
  const page = await visitor.post(reach(`${issuer.href}/sign-in`), { ...form.hidden, email, password });
  const answered = await visitor.post(reach(`${issuer.href}/connect`), { ...page.hidden, decision: by.decision });
  expect(answered.status).toBe(200);
};
const link = (sessionId: string): Promise<void> => linkSession(bench.context, { platform, sessionId, account: account.id });
const deny = (sessionId: string): Promise<void> => denySession(bench.context, { platform, sessionId, account: account.id });
const methods = ['client_secret_basic', 'client_secret_post', 'none'] as const;
const register = (method: (typeof methods)[number]): Promise<TestClient> =>
  bench.client(platform, {
    kind: method === 'none' ? 'public' : 'confidential',
    authMethods: [method],
    grantTypes: deviceGrantTypes,
    redirectUris: [],
  });
const scope = 'openid profile offline_access read';

describe.each(methods)('a client of %s', (method) => {
  test('lives its whole life with oauth4webapi: pending, too soon, linked, refreshed, revoked', async () => {
    const insecure = { [oauth.customFetch]: viaNodes, [oauth.allowInsecureRequests]: true } as const;
    const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
    const registered = await register(method);
    const client: oauth.Client = { client_id: registered.client_id };
    const authentication = {
      client_secret_basic: () => oauth.ClientSecretBasic(registered.client_secret),
      client_secret_post: () => oauth.ClientSecretPost(registered.client_secret),
      none: () => oauth.None(),
    }[method]();
    const verifier = oauth.generateRandomCodeVerifier();
    const begun = await oauth.processDeviceAuthorizationResponse(
      server,
      client,
      await oauth.deviceAuthorizationRequest(
        server,
        client,
        authentication,
        { scope, code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' },
        insecure,
      ),
    );
    expect(begun).toMatchObject({ verification_uri: `${issuer.href}/device`, expires_in: 900, interval: 1 });
    const ask = async (): Promise<oauth.TokenEndpointResponse> =>
      oauth.processDeviceCodeResponse(
        server,
        client,
        await oauth.deviceCodeGrantRequest(server, client, authentication, begun.device_code, {
          ...insecure,
          additionalParameters: { code_verifier: verifier },
        }),
      );
    await expect(ask()).rejects.toMatchObject({ error: 'authorization_pending', status: 400 });
    const atOnce = await Promise.allSettled(Array.from({ length: 10 }, ask));
    expect(atOnce).toContainEqual({ status: 'rejected', reason: expect.objectContaining({ error: 'slow_down', status: 400 }) });
    await link(begun.device_code);
    const tokens = await ask();
    expect(tokens).toMatchObject({ token_type: 'bearer', scope, expires_in: expect.any(Number) });
    expect(oauth.getValidatedIdTokenClaims(tokens)?.sub).toBe(account.id);
    const refreshed = await oauth.processRefreshTokenResponse(
      server,
      client,
      await oauth.refreshTokenGrantRequest(server, client, authentication, tokens.refresh_token ?? '', insecure),
    );
    expect(refreshed.refresh_token).not.toBe(tokens.refresh_token);
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(server, client, authentication, refreshed.refresh_token ?? '', insecure),
    );
    const late = await oauth.refreshTokenGrantRequest(server, client, authentication, refreshed.refresh_token ?? '', insecure);
    await expect(oauth.processRefreshTokenResponse(server, client, late)).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  test('waits with openid-client, which polls by itself until the person has decided', async () => {
    const registered = await register(method);
    const authentication = {
      client_secret_basic: () => openid.ClientSecretBasic(registered.client_secret),
      client_secret_post: () => openid.ClientSecretPost(registered.client_secret),
      none: () => openid.None(),
    }[method]();
    const config = await openid.discovery(issuer, registered.client_id, undefined, authentication, {
      execute: [openid.allowInsecureRequests, openid.enableNonRepudiationChecks],
      [openid.customFetch]: viaNodes,
    });
    const verifier = openid.randomPKCECodeVerifier();
    const proof = { code_challenge: await openid.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' };
    const begun = await openid.initiateDeviceAuthorization(config, { scope, ...proof });
    const waiting = openid.pollDeviceAuthorizationGrant(config, begun, { code_verifier: verifier });
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await decide(begun, { way: 'link', decision: 'allow' });
    const tokens = await waiting;
    expect(tokens.claims()?.sub).toBe(account.id);
    expect(await openid.fetchUserInfo(config, tokens.access_token, account.id)).toMatchObject({ sub: account.id, name: 'Test Person' });

    const refused = await openid.initiateDeviceAuthorization(config, { scope });
    const told = expect(openid.pollDeviceAuthorizationGrant(config, refused)).rejects.toMatchObject({
      error: 'access_denied',
      status: 400,
    });
    await decide(refused, { way: 'code', decision: 'deny' });
    await told;
  });
});

describe('two API processes on one database', () => {
  const many = <Result>(work: (index: number) => Promise<Result>): Promise<Result[]> =>
    Promise.all(Array.from({ length: parallel }, (_, index) => work(index)));
  const typesOf = async (deviceCode: string): Promise<readonly string[]> => {
    const { rows } = await pool.query<{ type: string }>(
      `select type from event where platform = $1 and (stream_id = $2 or (data ->> 'session') = $2::text or stream_id in
         (select stream_id from event where platform = $1 and data ->> 'session' = $2::text)) order by position`,
      [platform, sessionOf(deviceCode)],
    );
    return rows.map(({ type }) => type);
  };
  const redeemable = async () => {
    const device = createDevice({ platform, client: await register('client_secret_basic') });
    return { device, ...(await device.begin(node(0))) };
  };

  test(`give exactly one 200 for ${parallel} parallel redemptions of one device code, and end the grant`, async () => {
    const { device, deviceCode } = await redeemable();
    await link(deviceCode);
    const answers = await many((index) => device.poll(node(index), deviceCode));
    const won = answers.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 200))
      expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect((await device.introspect(node(1), String(won[0]?.body['access_token']))).body).toEqual({ active: false });
    expect(await typesOf(deviceCode)).toEqual([
      'session.started',
      'session.linked',
      'grant.authorized',
      'grant.code_redeemed',
      'session.redeemed',
      'grant.code_replayed',
      'grant.revoked',
    ]);
  });

  test('let one poll in an interval through, whichever of them it reaches', async () => {
    await bench.configure('patient', { ...deviceDocument, agentSignUp: { ...deviceDocument.agentSignUp, intervalSeconds: 60 } });
    const device = createDevice({
      platform: 'patient',
      client: await bench.client('patient', { grantTypes: deviceGrantTypes, redirectUris: [] }),
    });
    const { deviceCode } = await device.begin(node(0));
    const answers = await many((index) => device.poll(node(index), deviceCode));
    const told = answers.map(({ body }) => body['error']);
    expect(told.filter((error) => error === 'authorization_pending')).toHaveLength(1);
    expect(told.filter((error) => error === 'slow_down')).toHaveLength(parallel - 1);
  });

  test('give at most one 200 to polls that race the person, and lose no session to it', async () => {
    const { device, deviceCode } = await redeemable();
    const [answers] = await Promise.all([many((index) => device.poll(node(index), deviceCode)), link(deviceCode)]);
    const won = answers.filter(({ status }) => status === 200);
    expect(won.length).toBeLessThanOrEqual(1);
    for (const answer of answers.filter(({ status }) => status !== 200)) {
      expect(answer.status).toBe(400);
      expect(['authorization_pending', 'slow_down', 'invalid_grant']).toContain(answer.body['error']);
    }
    const last = await device.poll(node(1), deviceCode);
    expect(last.status).toBe(won.length === 1 ? 400 : 200);
    const types = await typesOf(deviceCode);
    for (const once of ['session.linked', 'grant.authorized', 'grant.code_redeemed', 'session.redeemed'])
      expect(types.filter((type) => type === once)).toHaveLength(1);
  });

  test('decide once between a redemption and a denial that comes too late', async () => {
    const { device, deviceCode } = await redeemable();
    await link(deviceCode);
    const [answer, late] = await Promise.all([device.poll(node(0), deviceCode), deny(deviceCode).catch((error: unknown) => String(error))]);
    expect(answer.status).toBe(200);
    expect(late).toContain('already_decided');
  });
});
