import { createFormBrowser, decideAs } from '@grantlog/cli';
import * as jose from 'jose';
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { openWorkbench, type TestClient, type Workbench } from '../support/workbench.ts';

/** A client of DPoP as it is published, on two processes, and a resource behind our proxy that the guard protects. */
const platform = 'arlo';
const redirectUri = 'http://127.0.0.1:53682/callback';
const scope = 'openid profile offline_access read all_claims';

let deployment: Deployment;
let bench: Workbench;
let issuer: URL;
let registered: TestClient;
let server: oauth.AuthorizationServer;

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 2, workers: 0, examples: true });
  bench = openWorkbench(deployment);
  issuer = new URL(`${deployment.publicUrl}/${platform}`);
  registered = await bench.client(platform, { kind: 'public', redirectUris: ['http://127.0.0.1/callback'] });
  server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }));
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
});

let turn = 0;
/** Every request goes to the next process: what one has taken, the other refuses. */
const reach = (url: string): string => {
  turn += 1;
  return url.replace(deployment.publicUrl, deployment.apis[turn % deployment.apis.length]?.url ?? '');
};
const viaNodes = (url: string | URL | Request, init?: object): Promise<Response> => fetch(reach(String(url)), init as RequestInit);
const insecure = { [oauth.customFetch]: viaNodes, [oauth.allowInsecureRequests]: true } as const;

const allow = (authorizationUrl: URL): Promise<URL> =>
  decideAs(createFormBrowser({ origin: new URL(deployment.publicUrl).origin }), reach(authorizationUrl.href), {
    ...(deployment.demo.platforms[platform]?.account ?? { email: '', password: '' }),
    decision: 'allow',
  });

/** A code of an allowed request, which only this key can redeem; pushed or by the browser alone. */
const authorize = async (client: oauth.Client, DPoP: oauth.DPoPHandle, how: 'pushed' | 'plain') => {
  const [verifier, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState()];
  const parameters = new URLSearchParams({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: redirectUri,
    scope,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    dpop_jkt: await DPoP.calculateThumbprint(),
  });
  const url = new URL(server.authorization_endpoint ?? '');
  url.search = String(parameters);
  if (how === 'pushed') {
    const pushed = await oauth.pushedAuthorizationRequest(server, client, oauth.None(), parameters, { ...insecure, DPoP });
    const { request_uri } = await oauth.processPushedAuthorizationResponse(server, client, pushed);
    url.search = String(new URLSearchParams({ client_id: client.client_id, request_uri }));
  }
  const callback = oauth.validateAuthResponse(server, client, await allow(url), state);
  return { callback, verifier };
};

test('the metadata names the algorithms of proofs, of the server and of its resource', async () => {
  expect(server.dpop_signing_alg_values_supported).toEqual(expect.arrayContaining(['RS256', 'PS256', 'ES256', 'EdDSA']));
  const resource = new URL(`${issuer.href}/api/2012-02-01/auth/resources`);
  const response = await oauth.resourceDiscoveryRequest(resource, insecure);
  expect(await oauth.processResourceDiscoveryResponse(resource, response)).toMatchObject({
    dpop_signing_alg_values_supported: server.dpop_signing_alg_values_supported,
  });
});

describe.each([
  ['ES256', 'plain'],
  ['PS256', 'pushed'],
  ['Ed25519', 'plain'],
] as const)('oauth4webapi with a key for %s, its request %s', (alg, how) => {
  test('lives its whole life with tokens that nobody else can use', async () => {
    const client: oauth.Client = { client_id: registered.client_id };
    const DPoP = oauth.DPoP(client, await oauth.generateKeyPair(alg));
    const bound = { ...insecure, DPoP };
    const { callback, verifier } = await authorize(client, DPoP, how);

    // Whoever finds the code has no key to redeem it with, and takes nothing from who has.
    const thief = { ...insecure, DPoP: oauth.DPoP(client, await oauth.generateKeyPair('ES256')) };
    for (const options of [insecure, thief]) {
      const stolen = await oauth.authorizationCodeGrantRequest(server, client, oauth.None(), callback, redirectUri, verifier, options);
      await expect(oauth.processAuthorizationCodeResponse(server, client, stolen)).rejects.toMatchObject({ error: 'invalid_grant' });
    }
    const response = await oauth.authorizationCodeGrantRequest(server, client, oauth.None(), callback, redirectUri, verifier, bound);
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, response);
    expect(tokens.token_type).toBe('dpop');

    const userinfoAt = { ...server, userinfo_endpoint: `${issuer.href}/oauth/userinfo` };
    const subject = oauth.getValidatedIdTokenClaims(tokens)?.sub ?? '';
    const userinfo = await oauth.userInfoRequest(userinfoAt, client, tokens.access_token, bound);
    expect(await oauth.processUserInfoResponse(userinfoAt, client, subject, userinfo)).toMatchObject({ sub: subject });
    const asBearer = await oauth.userInfoRequest(userinfoAt, client, tokens.access_token, insecure);
    await expect(oauth.processUserInfoResponse(userinfoAt, client, subject, asBearer)).rejects.toThrow();

    const events = new URL(`${issuer.href}/api/2012-02-01/auth/resources/events/?top=1`);
    const get = (token: string, options: object) =>
      oauth.protectedResourceRequest(token, 'GET', events, new Headers({ accept: 'application/json' }), null, { ...insecure, ...options });
    expect((await get(tokens.access_token, { DPoP })).status).toBe(200);
    await expect(get(tokens.access_token, {})).rejects.toThrow(oauth.WWWAuthenticateChallengeError);
    await expect(get(tokens.access_token, thief)).rejects.toThrow(oauth.WWWAuthenticateChallengeError);

    const refresh = (options: typeof insecure) =>
      oauth.refreshTokenGrantRequest(server, client, oauth.None(), tokens.refresh_token ?? '', options);
    for (const options of [insecure, thief])
      await expect(oauth.processRefreshTokenResponse(server, client, await refresh(options))).rejects.toMatchObject({
        error: 'invalid_grant',
      });
    const refreshed = await oauth.processRefreshTokenResponse(server, client, await refresh(bound));
    expect(refreshed.token_type).toBe('dpop');
    expect((await get(refreshed.access_token, { DPoP })).status).toBe(200);
  });
});

test('a resource server that verifies JWTs by itself finds the key in them', async () => {
  const api = 'https://api.example/proved';
  await bench.configure('proved', {
    resources: [{ uri: api, name: 'Proved', scopes: ['read'], accessTokenFormat: 'jwt', accessTokenAlg: 'ES256' }],
  });
  const machine = await bench.client('proved');
  const at = new URL(`${deployment.publicUrl}/proved`);
  const proved = await oauth.processDiscoveryResponse(at, await oauth.discoveryRequest(at, { algorithm: 'oauth2', ...insecure }));
  const client: oauth.Client = { client_id: machine.client_id };
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
  const asked = new URLSearchParams({ scope: 'read', resource: api });
  const secret = oauth.ClientSecretBasic(machine.client_secret);
  const response = await oauth.clientCredentialsGrantRequest(proved, client, secret, asked, { ...insecure, DPoP });
  const { access_token } = await oauth.processClientCredentialsResponse(proved, client, response);
  expect(jose.decodeJwt(access_token)).toMatchObject({ cnf: { jkt: await DPoP.calculateThumbprint() } });

  // The library signs the proof of what it sends, and judges it at the other end.
  let seen: Request | null = null;
  const resource = new URL('https://api.example/proved/things');
  const catching = (url: string, init?: object): Promise<Response> => {
    seen = new Request(url, init as RequestInit);
    return Promise.resolve(new Response(null));
  };
  await oauth.protectedResourceRequest(access_token, 'GET', resource, undefined, null, { DPoP, [oauth.customFetch]: catching });
  const validated = await oauth.validateJwtAccessToken(proved, seen as unknown as Request, api, { ...insecure, requireDPoP: true });
  expect(validated).toMatchObject({ client_id: machine.client_id, cnf: { jkt: await DPoP.calculateThumbprint() } });
});
