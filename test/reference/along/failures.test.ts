import { createFormBrowser, decideAs } from '@grantlog/cli';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { pkce, post } from '../../support/agent.ts';
import { eventually } from '../../support/eventually.ts';
import { createVisitor } from '../../support/visitor.ts';
import type { TestAccount } from '../../support/workbench.ts';
import { type Along, callback, startAlong, type Tokens } from './support/along.ts';

/** What breaks MCP clients in the field most often, one test each: the numbers are those of the study of their issue trackers. */
let along: Along;
let account: TestAccount;

beforeAll(async () => {
  along = await startAlong(inject('databaseUrl'));
  account = await along.account();
});
afterAll(() => along.stop());

type Attempt = {
  readonly clientId: string;
  readonly status: string;
  readonly step: string | null;
  readonly steps: readonly { readonly step: string }[];
};

const connect = async (clientId: string, change: Readonly<Record<string, string>> = {}): Promise<Tokens> => {
  const code = await along.code(clientId, account, change);
  const answer = await along.redeem(clientId, code, change['redirect_uri'] === undefined ? {} : { redirect_uri: change['redirect_uri'] });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body as unknown as Tokens;
};
const metadataOf = async (path = '/.well-known/oauth-authorization-server/along'): Promise<Readonly<Record<string, unknown>>> =>
  (await (await fetch(`${along.deployment.publicUrl}${path}`)).json()) as Record<string, unknown>;
const rpc = (url: string, token?: string, headers: Readonly<Record<string, string>> = {}) =>
  fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
  });

describe('what breaks clients in the field', () => {
  test('1: refreshes that race are all answered with the same tokens where the window is open, and end the connection where it is not', async () => {
    const lasting = `window-${crypto.randomUUID().slice(0, 8)}`;
    await along.bench.configure(lasting);
    const person = await along.bench.account(lasting);
    const issuer = `${along.deployment.publicUrl}/${lasting}`;
    const race = async (at: string, clientId: string, refreshToken: string) =>
      Promise.all(
        Array.from({ length: 20 }, async (_, turn) => {
          const node = along.deployment.apis[turn % 2]?.url ?? '';
          const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: clientId, refresh_token: refreshToken });
          const response = await fetch(at.replace(along.deployment.publicUrl, node), { method: 'POST', body: form });
          return { status: response.status, body: (await response.json()) as Record<string, unknown> };
        }),
      );
    const registered = await along.registerAt(issuer, { redirect_uris: [callback], token_endpoint_auth_method: 'none' });
    const { verifier, challenge } = pkce();
    const clientId = String(registered.body['client_id']);
    const asked = along.authorizeUrl(clientId, challenge).replace(along.issuer, issuer);
    const back = await decideAs(createFormBrowser(), asked, { ...person, decision: 'allow' });
    const first = await post(`${issuer}/oauth/token`, {
      grant_type: 'authorization_code',
      client_id: clientId,
      code: back.searchParams.get('code') ?? '',
      code_verifier: verifier,
      redirect_uri: callback,
    });
    const open = await race(`${issuer}/oauth/token`, clientId, String(first.body['refresh_token']));
    expect(open.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(new Set(open.map(({ body }) => `${String(body['access_token'])} ${String(body['refresh_token'])}`)).size).toBe(1);

    const strict = await along.newClient();
    const { refresh_token } = await connect(strict);
    const closed = await race(`${along.issuer}/oauth/token`, strict, refresh_token);
    expect(closed.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(new Set(closed.filter(({ status }) => status !== 200).map(({ body }) => body['error']))).toEqual(new Set(['invalid_grant']));
    const winner = closed.find(({ status }) => status === 200);
    expect((await along.introspect(String(winner?.body['access_token']))).body).toEqual({ active: false });
  });

  test('2: a slash at the end of a resource without a path is forgiven, and no issuer has one', async () => {
    const name = `bare-${crypto.randomUUID().slice(0, 8)}`;
    await along.bench.configure(name, { resources: [{ uri: 'https://api.example', name: 'Bare', scopes: ['read'] }] });
    const issuer = `${along.deployment.publicUrl}/${name}`;
    const registered = await along.bench.client(name, { kind: 'public', redirectUris: [callback] });
    const visitor = createVisitor(along.deployment.publicUrl);
    const ask = (resource: string) =>
      visitor.open(along.authorizeUrl(registered.client_id, 'a'.repeat(43), { resource, scope: 'read' }).replace(along.issuer, issuer));
    expect((await ask('https://api.example/')).status).toBe(200);
    expect((await ask('HTTPS://API.example')).status).toBe(200);
    expect((await ask('https://api.example/other')).location?.searchParams.get('error')).toBe('invalid_target');
    for (const path of [`/.well-known/oauth-authorization-server/${name}`, `/${name}/.well-known/openid-configuration`])
      expect((await metadataOf(path))['issuer']).toBe(issuer);
  });

  test('3: of two resources on one origin each has metadata of its own, and the bare origin is refused in words before anything is consumed', async () => {
    // One that is known by its redirect URI: people are never sent on to what registered itself before they have signed in.
    const client = 'claude-code';
    const asked = await createVisitor(along.deployment.publicUrl).open(
      along.authorizeUrl(client, 'a'.repeat(43), { resource: along.deployment.publicUrl }),
    );
    expect(Object.fromEntries(asked.location?.searchParams ?? [])).toMatchObject({
      error: 'invalid_target',
      iss: along.issuer,
      state: 'state-1',
    });
    const code = await along.code(client, account, { resource: along.mcp });
    const foreign = await along.redeem(client, code, { resource: `${along.issuer}/mcp` });
    expect([foreign.status, foreign.body['error']]).toEqual([400, 'invalid_target']);
    expect((await along.redeem(client, code, { resource: along.mcp })).status).toBe(200);
    const described = await fetch(`${along.deployment.publicUrl}/.well-known/oauth-protected-resource/along/mcp/v1`);
    expect(await described.json()).toMatchObject({ resource: along.mcp, authorization_servers: [along.issuer] });
  });

  test('4: the port of a loopback redirect may be another one than was registered, on 127.0.0.1, [::1] and localhost', async () => {
    const hosts = ['http://127.0.0.1', 'http://[::1]', 'http://localhost'];
    const client = await along.newClient({ redirect_uris: hosts.map((host) => `${host}:33418/callback`) });
    for (const host of hosts) {
      const tokens = await connect(client, { redirect_uri: `${host}:${40_000 + Math.floor(Math.random() * 9_000)}/callback` });
      expect(tokens.access_token).toMatch(/^avo_/);
    }
    const elsewhere = await createVisitor(null).open(
      along.authorizeUrl(client, 'a'.repeat(43), { redirect_uri: 'http://127.0.0.1:33418/other' }),
    );
    expect([elsewhere.status, elsewhere.location]).toEqual([400, null]);
  });

  test('5: a client that nobody knows is told to register again at the token endpoint, and its person is told what to do on a page', async () => {
    const unknown = 'bm90LWEtY2xpZW50LWF0LWFs';
    const refused = await along.refresh(unknown, 'avo_rxxxx');
    expect([refused.status, refused.body['error'], refused.headers.get('content-type')]).toEqual([
      401,
      'invalid_client',
      expect.stringContaining('application/json'),
    ]);
    const page = await createVisitor(null).open(along.authorizeUrl(unknown, 'a'.repeat(43)));
    expect([page.status, page.location, page.headers.get('content-type')]).toEqual([400, null, expect.stringContaining('text/html')]);
    expect(page.text).toMatch(/remove|add .*again|connect .*again/i);
  });

  test('6: a redirect to an app’s own scheme is taken, in one registration with https and loopback', async () => {
    const uris = [
      'cursor://anysphere.cursor-mcp/oauth/callback',
      'https://www.cursor.com/agents/mcp/oauth/callback',
      'http://localhost:8787/callback',
    ];
    const answer = await along.register({ client_name: 'Cursor', redirect_uris: uris, token_endpoint_auth_method: 'none' });
    expect([answer.status, answer.body['redirect_uris']]).toEqual([201, uris]);
    const tokens = await connect(String(answer.body['client_id']), { redirect_uri: uris[0] ?? '' });
    expect(tokens.scope).toBe('vault:read');
    const hostile = await along.register({ redirect_uris: ['javascript:alert(1)'] });
    expect([hostile.status, hostile.body['error']]).toEqual([400, 'invalid_redirect_uri']);
  });

  test('7: the answer to a registration has no null, no empty text, and everything that strict clients look for', async () => {
    const publicOne = await along.register({ client_name: 'Strict', redirect_uris: [callback], token_endpoint_auth_method: 'none' });
    const confidential = await along.register({ client_name: 'Strict', redirect_uris: ['https://strict.example/cb'] });
    for (const { status, headers, body } of [publicOne, confidential]) {
      expect([status, headers.get('cache-control')]).toEqual([201, expect.stringContaining('no-store')]);
      expect(Object.values(body).filter((value) => value === null || value === '' || (Array.isArray(value) && value.length === 0))).toEqual(
        [],
      );
      expect(body).toMatchObject({
        client_id: expect.stringMatching(/^[A-Za-z0-9_-]+$/),
        client_id_issued_at: expect.any(Number),
        registration_client_uri: expect.stringMatching(/^http/),
        registration_access_token: expect.any(String),
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
      });
    }
    expect(publicOne.body).toMatchObject({ token_endpoint_auth_method: 'none' });
    expect(publicOne.body['client_secret']).toBeUndefined();
    expect(confidential.body).toMatchObject({
      token_endpoint_auth_method: 'client_secret_basic',
      client_secret: expect.stringMatching(/^[A-Za-z0-9_-]+$/),
      client_secret_expires_at: 0,
    });
  });

  test('8: browsers of any origin may ask, with every header that clients send, and read the challenge', async () => {
    const { publicUrl } = along.deployment;
    const asked = 'authorization, content-type, accept, mcp-protocol-version, mcp-method, mcp-name, mcp-session-id, dpop';
    for (const [method, url] of [
      ['GET', `${publicUrl}/.well-known/oauth-authorization-server/along`],
      ['GET', `${publicUrl}/.well-known/oauth-protected-resource/along/mcp/v1`],
      ['GET', `${along.issuer}/.well-known/jwks.json`],
      ['GET', `${along.issuer}/oauth/userinfo`],
      ['POST', `${along.issuer}/oauth/token`],
      ['POST', `${along.issuer}/oauth/par`],
      ['POST', `${along.issuer}/oauth/register`],
      ['POST', `${along.issuer}/oauth/revoke`],
      ['POST', along.mcp],
    ] as const) {
      const preflight = await fetch(url, {
        method: 'OPTIONS',
        headers: { origin: 'https://app.example', 'access-control-request-method': method, 'access-control-request-headers': asked },
      });
      expect([url, preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([url, 204, '*']);
      const allowed = preflight.headers.get('access-control-allow-headers')?.toLowerCase() ?? '';
      for (const header of asked.split(', ')) expect(`${url} ${allowed}`).toContain(header);
      expect(`${url} ${preflight.headers.get('access-control-allow-methods')}`).toContain(method);
      expect(preflight.headers.get('access-control-allow-credentials')).toBeNull();
    }
    const challenge = await rpc(along.mcp, undefined, { origin: 'https://app.example' });
    expect([challenge.status, challenge.headers.get('access-control-allow-origin')]).toEqual([401, '*']);
    for (const answer of [challenge, await fetch(`${along.issuer}/oauth/userinfo`, { headers: { origin: 'https://app.example' } })])
      expect(answer.headers.get('access-control-expose-headers')).toMatch(/WWW-Authenticate.*Retry-After/);
    const authorize = await fetch(`${along.issuer}/oauth/authorize`, { method: 'OPTIONS', headers: { origin: 'https://app.example' } });
    expect(authorize.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('9: a refresh token comes without offline_access, which is in no challenge and in no metadata of a resource', async () => {
    const client = await along.newClient();
    const tokens = await connect(client);
    expect((await along.refresh(client, tokens.refresh_token)).status).toBe(200);
    const challenge = (await rpc(along.mcp)).headers.get('www-authenticate') ?? '';
    expect(challenge).toContain('scope="vault:read"');
    expect(challenge).not.toContain('offline_access');
    expect(JSON.stringify(await metadataOf('/.well-known/oauth-protected-resource/along/mcp/v1'))).not.toContain('offline_access');
  });

  test('10: nothing here looks at who a program says it is', async () => {
    const client = await along.newClient();
    const { access_token } = await connect(client);
    for (const agent of ['python-httpx/0.28', 'Claude-User/1.0', 'curl/8', ''])
      expect([agent, (await rpc(along.mcp, access_token, { 'user-agent': agent })).status]).toEqual([agent, 200]);
  });

  test('11: the metadata says both things by which clients choose a metadata document, and a URL that is none is refused on a page', async () => {
    const metadata = await metadataOf();
    expect(metadata).toMatchObject({
      client_id_metadata_document_supported: true,
      token_endpoint_auth_methods_supported: expect.arrayContaining(['none']),
    });
    for (const id of [
      'https://localhost/client.json',
      'http://client.example/client.json',
      'https://client.example',
      'https://10.0.0.1/client.json',
    ]) {
      const page = await createVisitor(null).open(along.authorizeUrl(id, 'a'.repeat(43)));
      expect([id, page.status, page.location]).toEqual([id, 400, null]);
      expect(page.headers.get('content-type')).toContain('text/html');
    }
  });

  test('12: a client that registers twice to connect once gets two ids, and either works', async () => {
    const body = { client_name: 'Claude', redirect_uris: [callback], token_endpoint_auth_method: 'none' };
    const [one, two] = await Promise.all([along.register(body), along.register(body)]);
    expect([one.status, two.status, one.body['client_id'] === two.body['client_id']]).toEqual([201, 201, false]);
    for (const answer of [one, two]) expect((await connect(String(answer.body['client_id']))).access_token).toMatch(/^avo_/);
  });

  test('13: what discovery says may be kept for minutes, and is the same at every URL that it is asked for', async () => {
    const paths = ['/.well-known/oauth-authorization-server/along', '/along/.well-known/oauth-authorization-server'];
    const documents = await Promise.all(paths.map((path) => metadataOf(path)));
    expect(new Set(documents.map((document) => JSON.stringify(document))).size).toBe(1);
    const { headers } = await fetch(`${along.deployment.publicUrl}${paths[0]}`);
    const age = Number(/max-age=(\d+)/.exec(headers.get('cache-control') ?? '')?.[1]);
    expect(age).toBeGreaterThan(0);
    expect(age).toBeLessThanOrEqual(300);
    for (const member of ['authorization_endpoint', 'token_endpoint', 'registration_endpoint'])
      expect(String(documents[0]?.[member])).toMatch(new RegExp(`^${along.issuer}/oauth/`));
  });

  test('14: a code that was issued and never redeemed is found by the trace of the attempt', async () => {
    const client = await along.newClient();
    await along.code(client, account);
    const operator = await along.operator();
    const attemptsOf = async () => {
      const { attempts } = await operator.call('GET', `/along/manage/connection-attempts?clientId=${client}`);
      const found = attempts as readonly Attempt[];
      return found.some(({ step }) => step === 'token') ? found : null;
    };
    const [attempt, ...others] = await eventually('the trace of the attempt', attemptsOf);
    expect(others).toEqual([]);
    expect(attempt).toMatchObject({ clientId: client, status: 'waiting', problem: expect.stringContaining('has not been redeemed') });
    expect(attempt?.steps.map(({ step }) => step).slice(-3)).toEqual(['registration', 'authorize', 'consent']);
  });

  test('15: a request without resource and without scope is taken, and means what there is', async () => {
    const client = await along.newClient();
    const tokens = await connect(client);
    expect(tokens).toMatchObject({ scope: 'vault:read', token_type: 'Bearer', expires_in: 3600 });
    expect((await along.introspect(tokens.access_token)).body).toMatchObject({ active: true, aud: along.mcp, scope: 'vault:read' });
    expect((await rpc(along.mcp, tokens.access_token)).status).toBe(200);
  });
});
