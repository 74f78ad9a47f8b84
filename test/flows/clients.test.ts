import { createFormBrowser, decideAs } from '@grantlog/cli';
import type { SigningAlgorithm } from '@grantlog/domain';
import * as jose from 'jose';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { openWorkbench, type TestAccount, type TestClient, type Workbench } from '../support/workbench.ts';

/** The clients that people install, as they are published: only their connections are led past the proxy that is not here. */
const platform = 'published';
const algorithms: readonly SigningAlgorithm[] = ['RS256', 'ES256', 'EdDSA'];
const apiOf = (alg: SigningAlgorithm): string => `https://api.example/${alg}`;

let deployment: Deployment;
let bench: Workbench;
let account: TestAccount;
let issuer: URL;

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 2, workers: 0 });
  bench = openWorkbench(deployment);
  await bench.configure(platform, {
    resources: algorithms.map((alg) => ({ uri: apiOf(alg), name: alg, scopes: ['read'], accessTokenFormat: 'jwt', accessTokenAlg: alg })),
  });
  account = await bench.account(platform, { displayName: 'Ada Person' });
  issuer = new URL(`${deployment.publicUrl}/${platform}`);
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
});

let turn = 0;
/** Every request goes to the next process: what one has given, the other knows. */
const reach = (url: string): string => {
  turn += 1;
  return url.replace(deployment.publicUrl, deployment.apis[turn % deployment.apis.length]?.url ?? '');
};
const viaNodes = (url: string | URL | Request, init?: object): Promise<Response> => fetch(reach(String(url)), init as RequestInit);

const allow = (authorizationUrl: URL): Promise<URL> =>
  decideAs(createFormBrowser({ origin: new URL(deployment.publicUrl).origin }), reach(authorizationUrl.href), {
    ...account,
    decision: 'allow',
  });

const scope = 'openid profile email offline_access read';

type Registration = { readonly method: 'client_secret_basic' | 'client_secret_post' | 'none'; readonly alg: SigningAlgorithm };
const registrations: readonly Registration[] = (['client_secret_basic', 'client_secret_post', 'none'] as const).flatMap((method) =>
  algorithms.map((alg) => ({ method, alg })),
);

const register = ({ method, alg }: Registration): Promise<TestClient> =>
  bench.client(platform, {
    kind: method === 'none' ? 'public' : 'confidential',
    authMethods: [method],
    idTokenAlg: alg,
    redirectUris: ['http://127.0.0.1/callback'],
    serves: method === 'none' ? [] : [apiOf(alg)],
  });
// RFC 8252 §7.3: the port is the system's choice at the time of the request.
const redirectUri = 'http://127.0.0.1:53682/callback';

describe('discovery', () => {
  test('is the same document at every URL that clients ask for, and names the issuer that it was asked for', async () => {
    const path = `/${platform}`;
    const forms = [
      ['/.well-known/oauth-authorization-server', path],
      [path, '/.well-known/oauth-authorization-server'],
      ['/.well-known/openid-configuration', path],
      [path, '/.well-known/openid-configuration'],
    ];
    const documents = await Promise.all(
      forms.map(async (parts) => {
        const response = await viaNodes(`${deployment.publicUrl}${parts.join('')}`, {
          headers: { origin: 'https://app.example', 'mcp-protocol-version': '2025-11-25' },
        });
        expect(response.status).toBe(200);
        expect(response.headers.get('access-control-allow-origin')).toBe('*');
        return (await response.json()) as Record<string, unknown>;
      }),
    );
    for (const document of documents) {
      expect(document).toMatchObject({
        issuer: issuer.href,
        code_challenge_methods_supported: ['S256'],
        authorization_response_iss_parameter_supported: true,
      });
    }
    expect(documents[0]).toEqual(documents[1]);
    expect(documents[2]).toEqual(documents[3]);
    expect(documents[2]).toMatchObject(documents[0] ?? {});
    for (const name of ['oauth-authorization-server', 'openid-configuration'])
      for (const wrong of [`/.well-known/${name}`, `/.well-known/${name}/nowhere`, `/nowhere/.well-known/${name}`]) {
        const response = await viaNodes(`${deployment.publicUrl}${wrong}`);
        expect([response.status, response.headers.get('content-type')]).toEqual([404, 'application/json; charset=utf-8']);
      }
  });

  test('IR-12: believes no header about where it is', async () => {
    const headers = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', forwarded: 'host=evil.example;proto=https' };
    const response = await viaNodes(`${issuer.href}/.well-known/openid-configuration`, { headers });
    expect(await response.text()).not.toContain('evil.example');
  });

  test('names a protected resource by its own URL (RFC 9728)', async () => {
    const { issuer: at } = deployment.demo.platforms['arlo-health'] ?? { issuer: '' };
    const resource = new URL(`${at}/mcp`);
    const response = await oauth.resourceDiscoveryRequest(resource, { [oauth.customFetch]: viaNodes, [oauth.allowInsecureRequests]: true });
    expect(await oauth.processResourceDiscoveryResponse(resource, response)).toMatchObject({
      resource: resource.href,
      authorization_servers: [at],
    });
  });
});

describe.each(registrations)('a client of $method with ID tokens of $alg', (registration) => {
  const { method, alg } = registration;

  test.each(['oidc', 'oauth2'] as const)('lives its whole life with oauth4webapi, discovered by %s', async (algorithm) => {
    const insecure = { [oauth.customFetch]: viaNodes, [oauth.allowInsecureRequests]: true } as const;
    const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm, ...insecure }));
    const registered = await register(registration);
    const client: oauth.Client = { client_id: registered.client_id, id_token_signed_response_alg: alg };
    const authentication = {
      client_secret_basic: () => oauth.ClientSecretBasic(registered.client_secret),
      client_secret_post: () => oauth.ClientSecretPost(registered.client_secret),
      none: () => oauth.None(),
    }[method]();

    const [verifier, state, nonce] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState(), oauth.generateRandomNonce()];
    const authorizationUrl = new URL(server.authorization_endpoint ?? '');
    authorizationUrl.search = String(
      new URLSearchParams({
        response_type: 'code',
        client_id: client.client_id,
        redirect_uri: redirectUri,
        scope,
        state,
        nonce,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        resource: apiOf(alg),
      }),
    );
    const callback = oauth.validateAuthResponse(server, client, await allow(authorizationUrl), state);
    const response = await oauth.authorizationCodeGrantRequest(server, client, authentication, callback, redirectUri, verifier, insecure);
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, { expectedNonce: nonce, requireIdToken: true });
    await oauth.validateApplicationLevelSignature(server, response, insecure);
    const subject = oauth.getValidatedIdTokenClaims(tokens)?.sub ?? '';
    expect(subject).toBe(account.id);
    expect(tokens).toMatchObject({ token_type: 'bearer', scope, expires_in: expect.any(Number) });

    // RFC 8414 metadata knows of no userinfo endpoint; that is OpenID Connect's (OIDC Discovery §3).
    if (algorithm === 'oidc') {
      const userinfo = await oauth.userInfoRequest(server, client, tokens.access_token, insecure);
      const claims = { sub: subject, name: 'Ada Person', email: account.email, email_verified: false };
      expect(await oauth.processUserInfoResponse(server, client, subject, userinfo)).toEqual(claims);
    }

    const request = new Request('https://api.example/things', { headers: { authorization: `Bearer ${tokens.access_token}` } });
    expect(await oauth.validateJwtAccessToken(server, request, apiOf(alg), insecure)).toMatchObject({
      sub: subject,
      client_id: client.client_id,
      scope,
    });

    const refreshResponse = await oauth.refreshTokenGrantRequest(server, client, authentication, tokens.refresh_token ?? '', insecure);
    const refreshed = await oauth.processRefreshTokenResponse(server, client, refreshResponse);
    await oauth.validateApplicationLevelSignature(server, refreshResponse, insecure);
    expect(oauth.getValidatedIdTokenClaims(refreshed)?.sub).toBe(subject);
    expect(refreshed.refresh_token).not.toBe(tokens.refresh_token);

    const isActive = async (token: string): Promise<boolean> => {
      const introspected = await oauth.introspectionRequest(server, client, authentication, token, insecure);
      return (await oauth.processIntrospectionResponse(server, client, introspected)).active;
    };
    if (method !== 'none') expect(await isActive(refreshed.access_token)).toBe(true);
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(server, client, authentication, refreshed.refresh_token ?? '', insecure),
    );
    if (method !== 'none') expect([await isActive(refreshed.access_token), await isActive(tokens.access_token)]).toEqual([false, false]);
    const late = await oauth.refreshTokenGrantRequest(server, client, authentication, refreshed.refresh_token ?? '', insecure);
    await expect(oauth.processRefreshTokenResponse(server, client, late)).rejects.toMatchObject({ error: 'invalid_grant', status: 400 });
  });

  test('lives its whole life with openid-client', async () => {
    const registered = await register(registration);
    const authentication = {
      client_secret_basic: () => openid.ClientSecretBasic(registered.client_secret),
      client_secret_post: () => openid.ClientSecretPost(registered.client_secret),
      none: () => openid.None(),
    }[method]();
    const config = await openid.discovery(issuer, registered.client_id, { id_token_signed_response_alg: alg }, authentication, {
      execute: [openid.allowInsecureRequests, openid.enableNonRepudiationChecks],
      [openid.customFetch]: viaNodes,
    });
    const [pkceCodeVerifier, expectedState, expectedNonce] = [openid.randomPKCECodeVerifier(), openid.randomState(), openid.randomNonce()];
    const authorizationUrl = openid.buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope,
      state: expectedState,
      nonce: expectedNonce,
      code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      max_age: '600',
    });
    const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true, maxAge: 600 };
    const tokens = await openid.authorizationCodeGrant(config, await allow(authorizationUrl), checks);
    const subject = tokens.claims()?.sub ?? '';
    expect(await openid.fetchUserInfo(config, tokens.access_token, subject)).toMatchObject({ sub: account.id, name: 'Ada Person' });
    const refreshed = await openid.refreshTokenGrant(config, tokens.refresh_token ?? '');
    expect(refreshed.claims()?.sub).toBe(subject);
    if (method !== 'none')
      expect(await openid.tokenIntrospection(config, refreshed.access_token)).toMatchObject({ active: true, sub: subject });
    await openid.tokenRevocation(config, refreshed.access_token);
    await expect(openid.fetchUserInfo(config, refreshed.access_token, subject)).rejects.toThrow();
    await openid.tokenRevocation(config, refreshed.refresh_token ?? '');
    await expect(openid.refreshTokenGrant(config, refreshed.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
  });
});

test.each(algorithms)('a resource server verifies JWT access tokens of %s by itself with jose', async (alg) => {
  const registered = await register({ method: 'client_secret_basic', alg: 'RS256' });
  const config = await openid.discovery(issuer, registered.client_id, undefined, openid.ClientSecretBasic(registered.client_secret), {
    execute: [openid.allowInsecureRequests],
    [openid.customFetch]: viaNodes,
  });
  const pkceCodeVerifier = openid.randomPKCECodeVerifier();
  const url = openid.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'read',
    resource: apiOf(alg),
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  });
  const tokens = await openid.authorizationCodeGrant(config, await allow(url), { pkceCodeVerifier });
  const keys = jose.createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri ?? ''), { [jose.customFetch]: viaNodes });
  const { payload, protectedHeader } = await jose.jwtVerify(tokens.access_token, keys, {
    issuer: issuer.href,
    audience: apiOf(alg),
    typ: 'at+jwt',
    algorithms: [alg],
  });
  expect(protectedHeader).toMatchObject({ alg, typ: 'at+jwt', kid: expect.any(String) });
  expect(payload).toMatchObject({
    sub: account.id,
    client_id: registered.client_id,
    scope: 'read',
    jti: expect.any(String),
    auth_time: expect.any(Number),
  });
  const other = algorithms.find((each) => each !== alg) ?? 'RS256';
  await expect(jose.jwtVerify(tokens.access_token, keys, { audience: apiOf(other) })).rejects.toThrow();
});
