import { changePlatform } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { post } from '../support/agent.ts';
import { createConsentFlow } from '../support/consent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { askMcp, toolCall as call, type McpReply, modernRequest as modern, modernHeaders } from '../support/mcp-wire.ts';
import { by, openWorkbench, type TestAccount, type TestClient, type Workbench } from '../support/workbench.ts';

const platform = 'arlo-health';

let deployment: Deployment;
let bench: Workbench;
let account: TestAccount;
let client: TestClient;
let issuer: string;

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0 });
  bench = openWorkbench(deployment);
  account = await bench.account(platform);
  client = await bench.client(platform);
  issuer = `${deployment.publicUrl}/${platform}`;
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
});

type Asked = { readonly headers?: Readonly<Record<string, string>>; readonly method?: string; readonly at?: string };
const ask = (message: unknown, { at = issuer, ...asked }: Asked = {}): Promise<McpReply> => askMcp(at, message, asked);

const tokensOf = async (change: Readonly<Record<string, string>> = {}) => {
  const flow = createConsentFlow({ deployment, platform, client, account });
  const { body } = await flow.redeem(await flow.code({ scope: 'openid profile email offline_access', prompt: 'consent', ...change }));
  return { flow, access: String(body['access_token']), refresh: String(body['refresh_token']) };
};

/** Another platform with an MCP server, without sign-up by agents. */
const openOther = async (more: readonly object[] = []) => {
  const name = `other-${crypto.randomUUID().slice(0, 8)}`;
  const at = `${deployment.publicUrl}/${name}`;
  await bench.configure(name, {
    resources: [{ uri: `${at}/mcp`, name: 'Agents', scopes: ['read'] }, ...more],
    mcpServer: {
      resource: `${at}/mcp`,
      name: 'example.other/server',
      version: '1.0.0',
      description: 'Another server',
      publisher: { name: 'Other', url: 'https://other.example' },
    },
  });
  const flow = createConsentFlow({ deployment, platform: name, client: await bench.client(name), account: await bench.account(name) });
  return { name, at, flow };
};

describe('a call that needs a token', () => {
  test.each(['check_account_status', 'register_webhook', 'get_webhook_status', 'no_such_tool'])(
    'is answered without one by the challenge that begins OAuth: %s',
    async (name) => {
      const { status, headers, body } = await ask(call(name));
      expect(status).toBe(401);
      // No error code: nothing was presented that could be wrong (RFC 6750 §3.1).
      expect(headers.get('www-authenticate')).toBe(
        `Bearer scope="openid profile email", resource_metadata="${deployment.publicUrl}/.well-known/oauth-protected-resource/${platform}/mcp"`,
      );
      expect(headers.get('access-control-expose-headers')).toContain('WWW-Authenticate');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(body).toMatchObject({ jsonrpc: '2.0', id: 7, error: { data: { error: 'not_authenticated', status: 401 } } });
    },
  );

  test('is answered so in 2026-07-28 as well', async () => {
    const message = modern('tools/call', { name: 'get_webhook_status', arguments: {} });
    const { status, headers } = await ask(message, { headers: modernHeaders('tools/call', 'get_webhook_status') });
    expect([status, headers.get('www-authenticate')?.startsWith('Bearer scope=')]).toEqual([401, true]);
  });

  test('is refused with invalid_token for everything that is no living access token for this server', async () => {
    const { access, refresh, flow } = await tokensOf();
    const dead = await tokensOf();
    await dead.flow.revoke(dead.refresh);
    const other = await openOther();
    const foreign = await other.flow.redeem(await other.flow.code());
    expect(foreign.status).toBe(200);
    const cases: readonly (readonly [string, string])[] = [
      ['nonsense', 'not_authenticated'],
      ['', 'not_authenticated'],
      [refresh, 'not_authenticated'],
      [await flow.code({ scope: 'openid profile email' }), 'not_authenticated'],
      [String(foreign.body['access_token']), 'not_authenticated'],
      [`${access.slice(0, -2)}xx`, 'not_authenticated'],
      [dead.access, 'session_revoked'],
    ];
    for (const [token, error] of cases) {
      const { status, headers, body } = await ask(call('check_account_status'), { headers: { authorization: `Bearer ${token}` } });
      expect([token, status, body['error']]).toEqual([token, 401, expect.objectContaining({ data: expect.objectContaining({ error }) })]);
      expect(headers.get('www-authenticate')).toMatch(
        /^Bearer error="invalid_token", error_description="[^"]+", scope="openid profile email", /,
      );
    }
    expect((await ask(call('check_account_status'), { headers: { authorization: `Bearer ${access}` } })).body).toMatchObject({
      result: { structuredContent: { authenticated: true } },
    });
  });

  test('is refused for a token that was issued for another resource of the platform', async () => {
    const { at, flow } = await openOther([{ uri: 'https://api.example/', name: 'Elsewhere', scopes: ['read'] }]);
    const tokenFor = async (resource: string): Promise<string> =>
      String((await flow.redeem(await flow.code({ resource }), { resource })).body['access_token']);
    const statusWith = async (token: string): Promise<number> =>
      (await ask(call('check_account_status'), { at, headers: { authorization: `Bearer ${token}` } })).status;
    expect(await statusWith(await tokenFor('https://api.example/'))).toBe(401);
    expect(await statusWith(await tokenFor(`${at}/mcp`))).toBe(200);
  });
});

describe('a call that needs no token', () => {
  test('is answered whatever token comes along, for who was revoked has to begin anew', async () => {
    const dead = await tokensOf();
    await dead.flow.revoke(dead.refresh);
    for (const token of ['nonsense', '', dead.access]) {
      const headers = { authorization: `Bearer ${token}` };
      const { status, body } = await ask(call('init_signup', { baseUrl: issuer }), { headers });
      const begun = (body['result'] as { readonly structuredContent: { readonly sessionId: string } }).structuredContent;
      expect([status, begun]).toEqual([200, expect.objectContaining({ expiresIn: 900 })]);
      expect((await ask(call('check_account_status', { sessionId: begun.sessionId }), { headers })).body).toMatchObject({
        result: { structuredContent: { status: 'pending' } },
      });
      expect((await ask({ jsonrpc: '2.0', id: 1, method: 'tools/list' }, { headers })).status).toBe(200);
    }
  });

  test('knows nothing of a session of another platform, nor of a link', async () => {
    const { body } = await ask(call('init_signup', { baseUrl: issuer }));
    const begun = (body['result'] as { readonly structuredContent: { readonly sessionId: string; readonly authUrl: string } })
      .structuredContent;
    const { at } = await openOther();
    const unknown = { result: { isError: true, structuredContent: { error: 'invalid_grant' } } };
    expect((await ask(call('check_account_status', { sessionId: begun.sessionId }), { at })).body).toMatchObject(unknown);
    const link = begun.authUrl.split('/').at(-1) ?? '';
    expect((await ask(call('check_account_status', { sessionId: link }))).body).toMatchObject(unknown);
    // It has no sign-up by agents, so it offers none.
    const { body: listed } = await ask({ jsonrpc: '2.0', id: 1, method: 'tools/list' }, { at });
    expect(JSON.stringify(listed)).not.toContain('"init_signup"');
  });

  test('shows the person the name that an MCP client gives itself', async () => {
    const message = modern('tools/call', { name: 'init_signup', arguments: { baseUrl: issuer } });
    const { status, body } = await ask(message, { headers: modernHeaders('tools/call', 'init_signup') });
    expect(status).toBe(200);
    const { authUrl } = (body['result'] as { readonly structuredContent: { readonly authUrl: string } }).structuredContent;
    const flow = createConsentFlow({ deployment, platform, client, account });
    const visitor = flow.newVisitor();
    const page = await flow.signIn(visitor, await visitor.open(authUrl));
    expect(page.text).toContain('wire-agent 0.9');
  });
});

describe('the transport', () => {
  test('takes one JSON message in each request', async () => {
    const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
    const refusals = [
      [await ask([list, call('get_webhook_status')]), 400, -32_600],
      [await ask([]), 400, -32_600],
      [await ask('7'), 400, -32_600],
      [await ask('{"jsonrpc":'), 400, -32_700],
      [await ask(''), 400, -32_700],
      [await ask('a=b', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }), 415, -32_000],
      [await ask(list, { headers: { 'content-type': 'text/plain' } }), 415, -32_000],
      [await ask(list, { headers: { accept: 'application/json' } }), 406, -32_000],
      [await ask(call('init_signup', { baseUrl: 'x'.repeat(70_000) })), 413, -32_000],
    ] as const;
    for (const [{ status, body, text }, expected, code] of refusals)
      expect([text, status, body]).toEqual([text, expected, { jsonrpc: '2.0', id: null, error: { code, message: expect.any(String) } }]);
  });

  test('reads no message that is nested deeper than any of them is', async () => {
    const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
    const deep = (depth: number) => JSON.stringify(call('init_signup', { x: 0 })).replace('"x":0', `"x":${nested(depth)}`);
    for (const depth of [1_000, 30_000]) {
      const { status, body } = await ask(deep(depth));
      expect([depth, status, body]).toEqual([
        depth,
        400,
        { jsonrpc: '2.0', id: 7, error: { code: -32_600, message: expect.stringContaining('nested') } },
      ]);
    }
    expect((await ask(deep(20))).status).toBe(200);
  });

  test('has no streams and no sessions', async () => {
    for (const method of ['GET', 'DELETE']) {
      const { status, headers } = await ask(null, { method, headers: { accept: 'text/event-stream' } });
      expect([method, status, headers.get('allow')]).toEqual([method, 405, expect.stringContaining('POST')]);
    }
    const initialize = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } };
    const begun = await ask({ jsonrpc: '2.0', id: 1, method: 'initialize', params: initialize });
    expect([begun.status, begun.headers.get('mcp-session-id')]).toEqual([200, null]);
    expect(begun.body).toMatchObject({ result: { protocolVersion: '2025-06-18', capabilities: { tools: {} } } });
    const { status, text } = await ask({ jsonrpc: '2.0', method: 'notifications/initialized' });
    expect([status, text]).toEqual([202, '']);
    const listen = await ask(modern('subscriptions/listen'), { headers: modernHeaders('subscriptions/listen') });
    expect([listen.status, listen.body]).toMatchObject([404, { id: 8, error: { code: -32_601 } }]);
  });

  test('names what it speaks to whoever speaks something else, and refuses headers that say another thing than the body', async () => {
    const message = modern('tools/list');
    const other = JSON.parse(JSON.stringify(message).replaceAll('2026-07-28', '2031-01-01')) as object;
    const { status, body } = await ask(other, { headers: { ...modernHeaders('tools/list'), 'mcp-protocol-version': '2031-01-01' } });
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining('2026-07-28')]);
    expect((await ask(message, { headers: modernHeaders('server/discover') })).status).toBe(400);
    const named = modern('tools/call', { name: 'init_signup', arguments: { baseUrl: issuer } });
    expect((await ask(named, { headers: modernHeaders('tools/call', 'check_account_status') })).status).toBe(400);
  });

  test('tells whoever has a token that there is no such tool or method', async () => {
    const { access } = await tokensOf();
    const headers = { authorization: `Bearer ${access}` };
    expect((await ask(call('no_such_tool'), { headers })).body).toMatchObject({
      id: 7,
      error: { code: -32_602, message: expect.stringContaining('no_such_tool') },
    });
    expect((await ask({ jsonrpc: '2.0', id: 3, method: 'no/such' })).body).toMatchObject({ id: 3, error: { code: -32_601 } });
  });

  test('answers programs and loopback pages, and no page that reached loopback under another name', async () => {
    const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
    const statusFrom = async (origin: string): Promise<number> => (await ask(list, { headers: { origin } })).status;
    expect(await statusFrom('http://localhost:6274')).toBe(200);
    expect(await statusFrom('http://127.0.0.1:6276')).toBe(200);
    for (const origin of ['https://evil.example', `http://rebound.example:${new URL(issuer).port}`, 'null', 'nonsense'])
      expect([origin, await statusFrom(origin)]).toEqual([origin, 403]);
  });

  test('lets pages ask first whether they may send what MCP clients send', async () => {
    const response = await fetch(`${issuer}/mcp`, {
      method: 'OPTIONS',
      headers: {
        origin: 'http://localhost:6274',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization, content-type, mcp-protocol-version, mcp-method, mcp-name',
      },
    });
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([204, '*']);
    const allowed = response.headers.get('access-control-allow-headers') ?? '';
    for (const name of ['Authorization', 'Content-Type', 'MCP-Protocol-Version', 'Mcp-Method', 'Mcp-Name']) expect(allowed).toContain(name);
  });

  test('is nowhere else than on platforms that have an MCP server', async () => {
    const at = `${deployment.publicUrl}/arlo`;
    for (const method of ['tools/list', 'tools/call']) {
      const { status, text } = await ask({ jsonrpc: '2.0', id: 1, method }, { at });
      expect([status, JSON.parse(text)]).toEqual([404, expect.objectContaining({ error: 'not_found' })]);
    }
    expect((await ask(call('init_signup'), { at: `${deployment.publicUrl}/nowhere` })).status).toBe(404);
  });

  test('answers 503 while the platform is suspended, so that nobody throws tokens away', async () => {
    const { name, at } = await openOther();
    expect((await ask(call('get_webhook_status'), { at })).status).toBe(401);
    await changePlatform(bench.context, by, { platform: name as never, command: { type: 'suspend', reason: 'maintenance' } });
    const { status, headers } = await ask(call('get_webhook_status'), { at });
    expect([status, headers.get('retry-after')]).toEqual([503, '1']);
  });
});

test('no session, link or token that passed through the server is in its log', async () => {
  const { access } = await tokensOf();
  await ask(call('check_account_status'), { headers: { authorization: `Bearer ${access}` } });
  const { body } = await ask(call('init_signup', { baseUrl: issuer, codeChallenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM' }));
  const { sessionId, authUrl } = (
    body['result'] as { readonly structuredContent: { readonly sessionId: string; readonly authUrl: string } }
  ).structuredContent;
  await ask(call('check_account_status', { sessionId }));
  await post(`${issuer}/oauth/token`, {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: sessionId,
    client_id: 'unidentified-agent',
  });
  await fetch(authUrl);
  const logs = await deployment.allLogs();
  expect(logs).toContain('/mcp');
  for (const secret of [access, sessionId, authUrl.split('/').at(-1) ?? '']) expect(logs.includes(secret.slice(0, 40))).toBe(false);
});
