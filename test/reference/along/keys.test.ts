import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { TestAccount } from '../../support/workbench.ts';
import { type Along, startAlong } from './support/along.ts';
import { allowWithSafe, ownerOfSafes } from './support/safes.ts';

/**
 * The two libraries of clients with keys, as they are published, and everything that they have at once: a client that registers
 * itself with its key, is named by signed assertions alone, pushes what it asks for, and binds its tokens to another key.
 */
let along: Along;
let person: TestAccount;
let other: string;

beforeAll(async () => {
  along = await startAlong(inject('databaseUrl'));
  person = await ownerOfSafes(along);
  other = along.elsewhere.replace(/\/along$/, '');
});
afterAll(() => along.stop());

const redirectUri = 'https://client.example/cb';
const list = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'along_list_safes', arguments: {} } };
const mcpHeaders = () => new Headers({ 'content-type': 'application/json', accept: 'application/json, text/event-stream' });

let turn = 0;
/** Every request goes to the next process: what one has taken, the other refuses. */
const viaNodes = (url: string | URL | Request, init?: object): Promise<Response> => {
  turn += 1;
  const { publicUrl } = along.deployment;
  return fetch(turn % 2 === 0 ? String(url) : String(url).replace(publicUrl, other), init as RequestInit);
};
const insecure = { [oauth.customFetch]: viaNodes, [oauth.allowInsecureRequests]: true } as const;

/** What a client says of itself that has a key for signing its assertions and nothing else. */
const describeClient = async (publicKey: CryptoKey, kid: string) => {
  const { kty = '', crv = '', x = '', y = '' } = await crypto.subtle.exportKey('jwk', publicKey);
  return {
    client_name: 'A client with keys',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'ES256',
    jwks: { keys: [{ kty, crv, x, y, kid, use: 'sig' }] },
    require_pushed_authorization_requests: true,
    dpop_bound_access_tokens: true,
  };
};

test('oauth4webapi registers with its key, pushes, proves and signs through a whole life on two processes', async () => {
  const issuer = new URL(along.issuer);
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }));
  const { privateKey, publicKey } = await oauth.generateKeyPair('ES256', { extractable: true });
  const registered = await oauth.processDynamicClientRegistrationResponse(
    await oauth.dynamicClientRegistrationRequest(server, await describeClient(publicKey, 'key-1'), insecure),
  );
  expect(registered).toMatchObject({ require_pushed_authorization_requests: true, dpop_bound_access_tokens: true });
  expect(registered.client_secret).toBeUndefined();
  const client: oauth.Client = { client_id: registered.client_id };
  const authentication = oauth.PrivateKeyJwt({ key: privateKey, kid: 'key-1' });
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
  const bound = { ...insecure, DPoP };
  // Whoever has the client's secret key, its code and its verifier, and not this other key, has nothing.
  const strangers = [insecure, { ...insecure, DPoP: oauth.DPoP(client, await oauth.generateKeyPair('ES256')) }];

  const [verifier, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState()];
  const asked = new URLSearchParams({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: redirectUri,
    scope: 'vault:read',
    resource: along.mcp,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  const pushed = await oauth.processPushedAuthorizationResponse(
    server,
    client,
    await oauth.pushedAuthorizationRequest(server, client, authentication, asked, bound),
  );
  const url = new URL(server.authorization_endpoint ?? '');
  url.search = String(new URLSearchParams({ client_id: client.client_id, request_uri: pushed.request_uri }));
  const callback = oauth.validateAuthResponse(server, client, await allowWithSafe(url, person, 'safe_home'), state);

  const redeem = (options: typeof insecure) =>
    oauth.authorizationCodeGrantRequest(server, client, authentication, callback, redirectUri, verifier, options);
  for (const options of strangers)
    await expect(oauth.processAuthorizationCodeResponse(server, client, await redeem(options))).rejects.toThrow();
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, await redeem(bound));
  expect(tokens).toMatchObject({ token_type: 'dpop', scope: 'vault:read' });

  const call = async (token: string, options: object): Promise<unknown> => {
    const sent = { ...insecure, [oauth.customFetch]: fetch as typeof viaNodes, ...options };
    const response = await oauth.protectedResourceRequest(token, 'POST', new URL(along.mcp), mcpHeaders(), JSON.stringify(list), sent);
    return [response.status, (await response.text()).includes('safe_home')];
  };
  expect(await call(tokens.access_token, { DPoP })).toEqual([200, true]);
  await expect(call(tokens.access_token, {})).rejects.toThrow(oauth.WWWAuthenticateChallengeError);

  const refresh = (options: typeof insecure) =>
    oauth.refreshTokenGrantRequest(server, client, authentication, tokens.refresh_token ?? '', options);
  for (const options of strangers)
    await expect(oauth.processRefreshTokenResponse(server, client, await refresh(options))).rejects.toThrow();
  const refreshed = await oauth.processRefreshTokenResponse(server, client, await refresh(bound));
  expect(await call(refreshed.access_token, { DPoP })).toEqual([200, true]);
  expect((await along.introspect(refreshed.access_token)).body).toMatchObject({
    active: true,
    token_type: 'DPoP',
    context: 'safe_home',
    cnf: { jkt: await DPoP.calculateThumbprint() },
  });
  await oauth.processRevocationResponse(
    await oauth.revocationRequest(server, client, authentication, refreshed.refresh_token ?? '', insecure),
  );
  await expect(call(refreshed.access_token, { DPoP })).rejects.toThrow(oauth.WWWAuthenticateChallengeError);
});

test('openid-client does the same, on a server that is none of OpenID Connect', async () => {
  const { privateKey, publicKey } = await openid.randomDPoPKeyPair('ES256', { extractable: true });
  const config = await openid.dynamicClientRegistration(
    new URL(along.issuer),
    await describeClient(publicKey, 'key-1'),
    openid.PrivateKeyJwt({ key: privateKey, kid: 'key-1' }),
    { algorithm: 'oauth2', execute: [openid.allowInsecureRequests], [openid.customFetch]: viaNodes },
  );
  const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'));
  const [pkceCodeVerifier, expectedState] = [openid.randomPKCECodeVerifier(), openid.randomState()];
  const url = await openid.buildAuthorizationUrlWithPAR(
    config,
    {
      redirect_uri: redirectUri,
      scope: 'vault:read vault:write',
      resource: along.mcp,
      state: expectedState,
      code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
    },
    { DPoP },
  );
  expect([...url.searchParams.keys()].toSorted()).toEqual(['client_id', 'request_uri']);
  const back = await allowWithSafe(url, person, 'safe_work');
  const tokens = await openid.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState }, undefined, { DPoP });
  expect(tokens).toMatchObject({ token_type: 'dpop', scope: 'vault:read vault:write' });

  config[openid.customFetch] = fetch as never;
  const call = (token: string) =>
    openid.fetchProtectedResource(config, token, new URL(along.mcp), 'POST', JSON.stringify(list), mcpHeaders(), { DPoP });
  const refreshed = await openid.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, { DPoP });
  const answered = await call(refreshed.access_token);
  expect([answered.status, await answered.text()]).toEqual([200, expect.stringContaining('safe_work')]);
  await openid.tokenRevocation(config, refreshed.refresh_token ?? '');
  await expect(call(refreshed.access_token)).rejects.toThrow();
  await expect(openid.refreshTokenGrant(config, refreshed.refresh_token ?? '', undefined, { DPoP })).rejects.toMatchObject({
    error: 'invalid_grant',
  });
});
