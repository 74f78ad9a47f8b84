import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createFormBrowser, decideAs } from '@grantlog/cli';
import type { ClientExtras } from '@grantlog/domain';
import * as jose from 'jose';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { openWorkbench, type TestAccount, type TestClient, type Workbench } from '../support/workbench.ts';

/** Clients as they are published, with keys in place of secrets, that push what they ask for. */
const platform = 'pushing';
const redirectUri = 'https://client.example/cb';
const scope = 'openid offline_access read';

let deployment: Deployment;
let bench: Workbench;
let account: TestAccount;
let issuer: URL;
let site: Server;
const published = new Map<string, object>();

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 2, workers: 0 });
  bench = openWorkbench(deployment);
  await bench.configure(platform, { consent: { remember: false } });
  account = await bench.account(platform);
  issuer = new URL(`${deployment.publicUrl}/${platform}`);
  site = createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [published.get(request.url ?? '')] }));
  });
  await new Promise<void>((resolve) => void site.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
  await new Promise((resolve) => site.close(resolve));
});

let turn = 0;
/** Every request goes to the next process: what one has given, the other knows. */
const reach = (url: string): string => {
  turn += 1;
  return url.replace(deployment.publicUrl, deployment.apis[turn % deployment.apis.length]?.url ?? '');
};
const viaNodes = (url: string | URL | Request, init?: object): Promise<Response> => fetch(reach(String(url)), init as RequestInit);
const insecure = { [oauth.customFetch]: viaNodes, [oauth.allowInsecureRequests]: true } as const;

const allow = (url: URL): Promise<URL> =>
  decideAs(createFormBrowser({ origin: new URL(deployment.publicUrl).origin }), reach(url.href), { ...account, decision: 'allow' });

const algorithms = { RS256: 'RS256', PS256: 'PS256', ES256: 'ES256', Ed25519: 'EdDSA' } as const;
type Algorithm = keyof typeof algorithms;

/** A client whose keys we have by value or, of a URL, by their address. */
const register = async (alg: Algorithm, by: 'value' | 'url', extras: Partial<ClientExtras> = {}) => {
  const { publicKey, privateKey } = await jose.generateKeyPair(alg, { extractable: true });
  const kid = crypto.randomUUID();
  const jwk = { ...(await jose.exportJWK(publicKey)), kid, use: 'sig' };
  published.set(`/${kid}`, jwk);
  const jwksUri = `http://127.0.0.1:${(site.address() as AddressInfo).port}/${kid}`;
  const keys = by === 'value' ? { jwks: { keys: [jwk] } as never } : { jwksUri };
  const client = await bench.client(platform, {
    authMethods: ['private_key_jwt'],
    redirectUris: [redirectUri],
    extras: { ...keys, assertionAlg: algorithms[alg], parRequired: true, ...extras },
  });
  return { client, key: { key: privateKey as CryptoKey, kid } };
};

const discover = async (): Promise<oauth.AuthorizationServer> =>
  oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }));

const asked = async (client: TestClient, verifier: string, state: string): Promise<URLSearchParams> =>
  new URLSearchParams({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: redirectUri,
    scope,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });

describe.each([
  ['RS256', 'value'],
  ['PS256', 'value'],
  ['ES256', 'url'],
  ['Ed25519', 'value'],
] as const)('a client with a key for %s, known by its %s', (alg, by) => {
  test('lives its whole life with oauth4webapi', async () => {
    const { client, key } = await register(alg, by);
    const server = await discover();
    const as: oauth.Client = { client_id: client.client_id };
    const authentication = oauth.PrivateKeyJwt(key);
    const [verifier, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState()];

    const parameters = await asked(client, verifier, state);
    const pushed = await oauth.processPushedAuthorizationResponse(
      server,
      as,
      await oauth.pushedAuthorizationRequest(server, as, authentication, parameters, insecure),
    );
    expect(pushed.expires_in).toBeLessThanOrEqual(90);
    const url = new URL(server.authorization_endpoint ?? '');
    url.search = String(new URLSearchParams({ client_id: client.client_id, request_uri: pushed.request_uri }));
    const callback = oauth.validateAuthResponse(server, as, await allow(url), state);
    const response = await oauth.authorizationCodeGrantRequest(server, as, authentication, callback, redirectUri, verifier, insecure);
    const tokens = await oauth.processAuthorizationCodeResponse(server, as, response, { requireIdToken: true });
    expect(tokens).toMatchObject({ token_type: 'bearer', scope });

    const refreshed = await oauth.processRefreshTokenResponse(
      server,
      as,
      await oauth.refreshTokenGrantRequest(server, as, authentication, tokens.refresh_token ?? '', insecure),
    );
    const introspect = async (token: string) =>
      oauth.processIntrospectionResponse(server, as, await oauth.introspectionRequest(server, as, authentication, token, insecure));
    expect(await introspect(refreshed.access_token)).toMatchObject({ active: true, sub: account.id, client_id: client.client_id });
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(server, as, authentication, refreshed.refresh_token ?? '', insecure),
    );
    expect(await introspect(refreshed.access_token)).toEqual({ active: false });

    const alone = await oauth.clientCredentialsGrantRequest(server, as, authentication, { scope: 'read' }, insecure);
    expect(await oauth.processClientCredentialsResponse(server, as, alone)).toMatchObject({ scope: 'read' });
  });
});

test('a client that pushes with a DPoP proof has its code, and its tokens, bound to that key', async () => {
  const { client, key } = await register('ES256', 'value', { dpopRequired: true });
  const server = await discover();
  const as: oauth.Client = { client_id: client.client_id };
  const authentication = oauth.PrivateKeyJwt(key);
  const [verifier, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState()];
  const [DPoP, another] = [oauth.DPoP(as, await oauth.generateKeyPair('ES256')), oauth.DPoP(as, await oauth.generateKeyPair('ES256'))];

  const connect = async () => {
    const push = await oauth.pushedAuthorizationRequest(server, as, authentication, await asked(client, verifier, state), {
      ...insecure,
      DPoP,
    });
    const pushed = await oauth.processPushedAuthorizationResponse(server, as, push);
    const url = new URL(server.authorization_endpoint ?? '');
    url.search = String(new URLSearchParams({ client_id: client.client_id, request_uri: pushed.request_uri }));
    return oauth.validateAuthResponse(server, as, await allow(url), state);
  };
  const redeem = (callback: URLSearchParams, handle: oauth.DPoPHandle) =>
    oauth.authorizationCodeGrantRequest(server, as, authentication, callback, redirectUri, verifier, { ...insecure, DPoP: handle });

  const stolen = await redeem(await connect(), another);
  await expect(oauth.processAuthorizationCodeResponse(server, as, stolen)).rejects.toMatchObject({ error: 'invalid_grant', status: 400 });
  const tokens = await oauth.processAuthorizationCodeResponse(server, as, await redeem(await connect(), DPoP));
  expect(tokens.token_type).toBe('dpop');
});

test('openid-client pushes and authenticates with its key as well', async () => {
  const { client, key } = await register('ES256', 'value');
  const config = await openid.discovery(issuer, client.client_id, {}, openid.PrivateKeyJwt(key), {
    execute: [openid.allowInsecureRequests],
    [openid.customFetch]: viaNodes,
  });
  const [pkceCodeVerifier, expectedState] = [openid.randomPKCECodeVerifier(), openid.randomState()];
  const url = await openid.buildAuthorizationUrlWithPAR(config, {
    redirect_uri: redirectUri,
    scope,
    state: expectedState,
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  });
  expect([...url.searchParams.keys()].sort()).toEqual(['client_id', 'request_uri']);
  const tokens = await openid.authorizationCodeGrant(config, await allow(url), { pkceCodeVerifier, expectedState, idTokenExpected: true });
  expect(tokens.claims()?.sub).toBe(account.id);
  expect(await openid.tokenIntrospection(config, tokens.access_token)).toMatchObject({ active: true });
});
