import { createFormBrowser, decideAs } from '@grantlog/cli';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Arlo, callback, startArlo } from './support/arlo.ts';

/** The clients that people install, as they are published: only their connections are led past the proxy that is not here. */
let arlo: Arlo;

beforeAll(async () => {
  arlo = await startArlo(inject('databaseUrl'));
});
afterAll(() => arlo.stop());

const scope = 'openid profile offline_access read';
const reach = (url: string): string => url.replace(arlo.deployment.publicUrl, arlo.node());
const viaNodes = (url: string | URL | Request, init?: object): Promise<Response> => fetch(reach(String(url)), init as RequestInit);
const allow = (url: URL, decision: 'allow' | 'deny' = 'allow'): Promise<URL> =>
  decideAs(createFormBrowser({ origin: new URL(arlo.deployment.publicUrl).origin }), reach(url.href), { ...arlo.account, decision });

/** What the documents give a developer: the endpoints by hand; the keys are where OIDC has them. */
const documented = () => ({
  issuer: arlo.issuer,
  authorization_endpoint: `${arlo.issuer}/oauth/connect/authorize`,
  token_endpoint: `${arlo.issuer}/oauth/connect/token`,
  revocation_endpoint: `${arlo.issuer}/oauth/connect/revocation`,
  jwks_uri: `${arlo.issuer}/.well-known/jwks.json`,
  // RFC 9207 §2.4: what is not advertised is still compared where it comes.
  authorization_response_iss_parameter_supported: true,
});

const ways = ['the endpoints of the documents', 'discovery'] as const;

describe.each(ways)('with %s', (way) => {
  test.each(['client_secret_basic', 'client_secret_post'] as const)('oauth4webapi lives the whole flow by %s', async (method) => {
    const insecure = { [oauth.customFetch]: viaNodes, [oauth.allowInsecureRequests]: true } as const;
    const issuer = new URL(arlo.issuer);
    const server: oauth.AuthorizationServer =
      way === 'discovery' ? await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure)) : documented();
    const client: oauth.Client = { client_id: arlo.client.client_id };
    const { client_secret: secret } = arlo.client;
    const authentication = method === 'client_secret_basic' ? oauth.ClientSecretBasic(secret) : oauth.ClientSecretPost(secret);

    const state = oauth.generateRandomState();
    const url = new URL(server.authorization_endpoint ?? '');
    url.search = String(new URLSearchParams({ response_type: 'code', client_id: client.client_id, redirect_uri: callback, scope, state }));
    await expect(async () => oauth.validateAuthResponse(server, client, await allow(url, 'deny'), state)).rejects.toMatchObject({
      error: 'access_denied',
    });
    const parameters = oauth.validateAuthResponse(server, client, await allow(url), state);
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      authentication,
      parameters,
      callback,
      oauth.nopkce,
      insecure,
    );
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, { requireIdToken: true });
    await oauth.validateApplicationLevelSignature(server, response, insecure);
    expect(oauth.getValidatedIdTokenClaims(tokens)?.sub).toBe(arlo.account.id);

    const refresh = (token: string | undefined, redirectUri: string) =>
      oauth
        .refreshTokenGrantRequest(server, client, authentication, token ?? '', {
          ...insecure,
          additionalParameters: { redirect_uri: redirectUri },
        })
        .then((refreshed) => oauth.processRefreshTokenResponse(server, client, refreshed));
    const second = await refresh(tokens.refresh_token, callback);
    expect(second.id_token).toBeDefined();
    await expect(refresh(second.refresh_token, `${callback}other`)).rejects.toMatchObject({ error: 'invalid_grant' });
    const third = await refresh(second.refresh_token, callback);
    expect((await arlo.validate(third.access_token)).status).toBe(200);

    const revoked = await oauth.revocationRequest(server, client, authentication, third.refresh_token ?? '', insecure);
    await oauth.processRevocationResponse(revoked);
    expect((await arlo.validate(third.access_token)).status).toBe(400);
    await expect(refresh(third.refresh_token, callback)).rejects.toMatchObject({ error: 'invalid_grant', status: 400 });
  });

  test('oauth4webapi is refused with the documented errors of an authorization request', async () => {
    const client: oauth.Client = { client_id: arlo.client.client_id };
    const state = oauth.generateRandomState();
    for (const [sent, error] of [
      [{ scope: 'openid,profile' }, 'invalid_scope'],
      [{ scope: '' }, 'invalid_request'],
      [{ scope, response_type: 'token' }, 'unsupported_response_type'],
    ] as const) {
      const query = { response_type: 'code', client_id: client.client_id, redirect_uri: callback, state, ...sent };
      const { location } = await arlo.newVisitor().open(`${arlo.at('/oauth/connect/authorize')}?${new URLSearchParams(query)}`);
      expect(() => oauth.validateAuthResponse(documented(), client, location ?? new URL(callback), state)).toThrow(
        expect.objectContaining({ error }),
      );
    }
  });

  test('openid-client lives the whole flow, with PKCE of its own accord', async () => {
    const authentication = openid.ClientSecretBasic(arlo.client.client_secret);
    const options = { execute: [openid.allowInsecureRequests, openid.enableNonRepudiationChecks], [openid.customFetch]: viaNodes };
    const config =
      way === 'discovery'
        ? await openid.discovery(new URL(arlo.issuer), arlo.client.client_id, undefined, authentication, options)
        : new openid.Configuration(documented(), arlo.client.client_id, undefined, authentication);
    if (way !== 'discovery') {
      config[openid.customFetch] = viaNodes;
      for (const apply of options.execute) apply(config);
    }
    const [pkceCodeVerifier, expectedState] = [openid.randomPKCECodeVerifier(), openid.randomState()];
    const url = openid.buildAuthorizationUrl(config, {
      redirect_uri: callback,
      scope,
      state: expectedState,
      code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
    });
    const checks = { pkceCodeVerifier, expectedState, idTokenExpected: true };
    const tokens = await openid.authorizationCodeGrant(config, await allow(url), checks);
    expect(tokens.claims()?.sub).toBe(arlo.account.id);
    expect(tokens.expiresIn()).toBeGreaterThan(3_500);
    const refreshed = await openid.refreshTokenGrant(config, tokens.refresh_token ?? '', { redirect_uri: callback });
    expect(refreshed.claims()?.sub).toBe(arlo.account.id);
    expect(refreshed.refresh_token).not.toBe(tokens.refresh_token);
    await openid.tokenRevocation(config, refreshed.access_token, { token_type_hint: 'access_token' });
    expect((await arlo.validate(refreshed.access_token)).status).toBe(400);
    await openid.tokenRevocation(config, refreshed.refresh_token ?? '', { token_type_hint: 'refresh_token' });
    await expect(openid.refreshTokenGrant(config, refreshed.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
  });
});
