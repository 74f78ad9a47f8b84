import { createFormBrowser, decideAs } from '@grantlog/cli';
import type { PlatformId } from '@grantlog/eventsourcing';
import { registerClient as register2 } from '@modelcontextprotocol/client';
import { registerClient as register1 } from '@modelcontextprotocol/sdk/client/auth.js';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createConsentFlow } from '../support/consent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { createDevice, deviceDocument, deviceGrantTypes } from '../support/device.ts';
import { createVisitor } from '../support/visitor.ts';
import { openWorkbench, type TestAccount, type Workbench } from '../support/workbench.ts';

/** Clients that nobody knows register by the libraries that people install, as they are published, and connect somebody. */
const platform = 'open';
const redirectUri = 'http://127.0.0.1:53682/callback';
const parallel = 50;

let deployment: Deployment;
let bench: Workbench;
let account: TestAccount;
let issuer: URL;

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 2, workers: 0 });
  bench = openWorkbench(deployment);
  await bench.configure(platform, deviceDocument);
  account = await bench.account(platform);
  issuer = new URL(`${deployment.publicUrl}/${platform}`);
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
});

let turn = 0;
/** Every request goes to the next process: what one has written, the other knows. */
const reach = (url: string): string => {
  turn += 1;
  return url.replace(deployment.publicUrl, deployment.apis[turn % deployment.apis.length]?.url ?? '');
};
const viaNodes = (url: string | URL | Request, init?: object): Promise<Response> => fetch(reach(String(url)), init as RequestInit);
const insecure = { [oauth.customFetch]: viaNodes, [oauth.allowInsecureRequests]: true } as const;
const allow = (authorizationUrl: URL): Promise<URL> =>
  decideAs(createFormBrowser({ origin: new URL(deployment.publicUrl).origin }), reach(authorizationUrl.href), {
    ...account,
    decision: 'allow',
  });
/** What the log says of a client. */
const typesOf = async (clientId: string): Promise<readonly string[]> => {
  const stream = (await bench.context.directory.open(platform as PlatformId))?.client(clientId);
  const { rows } = await bench.context.pool.query<{ type: string }>(
    'select type from event where platform = $1 and stream_id = $2 order by version',
    [platform, stream],
  );
  return rows.map(({ type }) => type);
};
const discover = async (): Promise<oauth.AuthorizationServer> =>
  oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }));

describe('a client that nobody knows', () => {
  test.each([undefined, 'client_secret_basic', 'client_secret_post', 'none'] as const)(
    'registers and connects with openid-client 6, which sends its secret in its own way, as %s',
    async (method) => {
      const config = await openid.dynamicClientRegistration(
        issuer,
        {
          client_name: 'A server',
          redirect_uris: ['https://a.example/cb'],
          ...(method === undefined ? {} : { token_endpoint_auth_method: method }),
        },
        undefined,
        { execute: [openid.allowInsecureRequests], [openid.customFetch]: viaNodes, algorithm: 'oauth2' },
      );
      const metadata = config.clientMetadata();
      expect(metadata.token_endpoint_auth_method).toBe(method ?? 'client_secret_basic');
      expect(metadata.client_secret === undefined).toBe(method === 'none');
      const verifier = openid.randomPKCECodeVerifier();
      const state = openid.randomState();
      const url = openid.buildAuthorizationUrl(config, {
        redirect_uri: 'https://a.example/cb',
        scope: 'openid read',
        state,
        code_challenge: await openid.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      });
      const tokens = await openid.authorizationCodeGrant(config, await allow(url), { pkceCodeVerifier: verifier, expectedState: state });
      expect(tokens).toMatchObject({ access_token: expect.stringMatching(/^tst_a/), scope: 'openid read' });
    },
  );

  test('registers with oauth4webapi, reads, changes and ends its registration at any process, and is told 401 after that', async () => {
    const server = await discover();
    const asked = { client_name: 'An app', redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' };
    const registered = await oauth.processDynamicClientRegistrationResponse(
      await oauth.dynamicClientRegistrationRequest(server, asked, insecure),
    );
    const at = String(registered['registration_client_uri']);
    const authorization = `Bearer ${registered['registration_access_token']}`;
    const manage = (method: string, body?: object) =>
      viaNodes(at, {
        method,
        headers: { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    for (let round = 0; round < 4; round += 1) expect(await (await manage('GET')).json()).toEqual(registered);
    const renamed = { ...asked, client_id: registered.client_id, client_name: 'A newer app' };
    expect(await (await manage('PUT', renamed)).json()).toEqual({ ...registered, client_name: 'A newer app' });
    expect(((await (await manage('GET')).json()) as { client_name: string }).client_name).toBe('A newer app');
    expect((await manage('DELETE')).status).toBe(204);
    for (let round = 0; round < 2; round += 1) expect((await manage('GET')).status).toBe(401);
    const refreshed = await oauth.refreshTokenGrantRequest(server, registered, oauth.None(), 'tst_rx', insecure);
    expect([refreshed.status, ((await refreshed.json()) as { error: string }).error]).toEqual([401, 'invalid_client']);
  });

  test.each([
    ['SDK 1.32', register1],
    ['client v2', register2],
  ] as const)('registers with what the MCP clients of %s send, whose schemas take the whole answer', async (_, register) => {
    const metadata = await discover();
    const clientMetadata = {
      client_name: 'Test agent',
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
    const information = await register(issuer.href, {
      metadata: metadata as never,
      clientMetadata,
      scope: 'read',
      fetchFn: viaNodes as never,
    });
    expect(information).toMatchObject({ ...clientMetadata, client_id: expect.any(String), client_id_issued_at: expect.any(Number) });
    // The second scope of a step-up is still to be had by the same client.
    expect(information.scope?.split(' ')).toEqual(expect.arrayContaining(['read', 'write']));
    const secretive = await register(issuer.href, {
      metadata: metadata as never,
      clientMetadata: { client_name: 'Test server', redirect_uris: ['https://a.example/cb'] },
      fetchFn: viaNodes as never,
    });
    expect(secretive).toMatchObject({ client_secret: expect.any(String), client_secret_expires_at: 0 });
  });

  test(`is marked as used once by ${parallel} parallel first grants on two processes, each of which is given`, async () => {
    const { client_id } = await register1(issuer.href, {
      metadata: (await discover()) as never,
      clientMetadata: { client_name: 'Popular', redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' },
      fetchFn: viaNodes as never,
    });
    const client = { client_id, client_secret: '', redirect_uri: redirectUri };
    const flow = createConsentFlow({ deployment, platform, client, account });
    const { visitor } = await flow.atConsent();
    const pages = await Promise.all(Array.from({ length: parallel }, () => visitor.open(flow.authorizeUrl())));
    const visits = await Promise.all(
      pages.map((page, index) =>
        visitor.post(`${deployment.apis[index % 2]?.url}/${platform}/consent`, { ...page.hidden, decision: 'allow' }),
      ),
    );
    const codes = new Set(visits.map(({ location }) => location?.searchParams.get('code')));
    expect([codes.size, codes.has(null)]).toEqual([parallel, false]);
    expect(await typesOf(client_id)).toEqual(['client.registered', 'client.used']);
  });

  test('is marked as used where it is a device that somebody connects', async () => {
    const { client_id } = await oauth.processDynamicClientRegistrationResponse(
      await oauth.dynamicClientRegistrationRequest(
        await discover(),
        { client_name: 'A television', grant_types: [...deviceGrantTypes], token_endpoint_auth_method: 'none' },
        insecure,
      ),
    );
    const [api] = deployment.apis;
    if (api === undefined) throw new Error('there are two');
    const device = createDevice({ platform, client: { client_id, client_secret: '', redirect_uri: '' } });
    const begun = await device.begin(api, { scope: 'openid read' });
    expect(await typesOf(client_id)).toEqual(['client.registered']);
    const visitor = createVisitor(new URL(deployment.publicUrl).origin);
    const { email, password } = account;
    const page = await visitor.open(device.at(api, `/connect/${begun.link}`));
    const asked = await visitor.post(device.at(api, '/sign-in'), { ...page.hidden, email, password });
    await visitor.post(device.at(api, '/connect'), { ...asked.hidden, decision: 'allow' });
    expect(await typesOf(client_id)).toEqual(['client.registered', 'client.used']);
    expect((await device.poll(api, begun.deviceCode)).status).toBe(200);
  });

  test('leaves neither its secret nor its registration access token in any line of any log', async () => {
    const response = await viaNodes(`${issuer.href}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_name: 'Quiet', redirect_uris: ['https://a.example/cb'] }),
    });
    const { client_secret, registration_access_token, registration_client_uri } = (await response.json()) as Record<string, string>;
    const headers = { authorization: `Bearer ${registration_access_token}`, 'content-type': 'application/json' };
    await viaNodes(String(registration_client_uri), { headers });
    await viaNodes(String(registration_client_uri), {
      method: 'PUT',
      headers,
      body: JSON.stringify({ client_secret: `${client_secret}x` }),
    });
    await viaNodes(`${registration_client_uri}/${registration_access_token}`, { headers });
    const logs = await deployment.allLogs();
    expect(logs).toContain('/oauth/register');
    for (const secret of [client_secret, registration_access_token]) {
      expect(secret).toMatch(/^[A-Za-z0-9_-]{43,}$/);
      expect(logs.includes(String(secret))).toBe(false);
    }
  });
});
