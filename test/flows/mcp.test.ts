import { createFormBrowser, decideAs } from '@grantlog/cli';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { post } from '../support/agent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { createOAuthMemory, type McpAgent, mcpClients } from '../support/mcp-clients.ts';
import { openWorkbench, type TestAccount, type TestClient, type Workbench } from '../support/workbench.ts';

const platform = 'arlo-health';

let deployment: Deployment;
let bench: Workbench;
let account: TestAccount;
let client: TestClient;
let issuer: string;

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0 });
  bench = openWorkbench(deployment);
  account = await bench.account(platform, { displayName: 'Ada Person' });
  // Clients cannot register themselves, so this one is there before.
  client = await bench.client(platform, { kind: 'public', redirectUris: ['http://127.0.0.1/callback'] });
  issuer = `${deployment.publicUrl}/${platform}`;
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
});

const redirectUri = 'http://127.0.0.1:53682/callback';
const url = (): string => `${issuer}/mcp`;
const allow = (authorizationUrl: URL, person = account): Promise<URL> =>
  decideAs(createFormBrowser({ origin: deployment.publicUrl }), authorizationUrl.href, { ...person, decision: 'allow' });

/** A platform with an MCP server whose clients may stay connected without asking for it. */
const openLasting = async () => {
  const name = `lasting-${crypto.randomUUID().slice(0, 8)}`;
  const at = `${deployment.publicUrl}/${name}`;
  await bench.configure(name, {
    resources: [{ uri: `${at}/mcp`, name: 'Agents', scopes: ['read'] }],
    mcpServer: {
      resource: `${at}/mcp`,
      name: 'example.lasting/server',
      version: '1.0.0',
      description: 'A server that lets its clients stay',
      publisher: { name: 'Lasting', url: 'https://lasting.example' },
    },
  });
  const registered = await bench.client(name, { kind: 'public', redirectUris: ['http://127.0.0.1/callback'] });
  return { issuer: at, client: registered, account: await bench.account(name) };
};

describe.each(mcpClients)('$name', ({ connect, speaks }) => {
  test('connects, pings and lists the tools without a token', async () => {
    const agent = await connect({ url: url() });
    expect([agent.serverName(), agent.protocolVersion()]).toEqual(['ai.arlohealth/arlo-health', speaks]);
    expect(agent.instructions()).toContain(`${issuer}/llms.txt`);
    if (speaks !== '2026-07-28') await agent.ping();
    const tools = await agent.tools();
    expect(tools.map(({ name }) => name)).toEqual(['init_signup', 'check_account_status', 'register_webhook', 'get_webhook_status']);
    for (const tool of tools) {
      expect(tool).toMatchObject({ inputSchema: { type: 'object' }, outputSchema: { type: 'object' } });
      expect(Object.keys(tool['annotations'] as object).sort()).toEqual([
        'destructiveHint',
        'idempotentHint',
        'openWorldHint',
        'readOnlyHint',
        'title',
      ]);
    }
    await agent.close();
  });

  test('begins a sign-up and asks how it stands without a token', async () => {
    const agent = await connect({ url: url() });
    // From here on the clients hold every result against the output schema that they have read.
    await agent.tools();
    const begun = await agent.call('init_signup', { baseUrl: url() });
    expect(begun.isError).toBeUndefined();
    expect(begun.structuredContent).toMatchObject({ expiresIn: 900, interval: 5, number: expect.any(Number) });
    const { authUrl, sessionId } = begun.structuredContent as { authUrl: string; sessionId: string };
    expect(authUrl.startsWith(`${issuer}/connect/`)).toBe(true);
    expect(authUrl).not.toContain(sessionId);
    const pending = await agent.call('check_account_status', { sessionId });
    expect(pending.structuredContent).toMatchObject({ authenticated: false, status: 'pending' });
    expect(JSON.parse(pending.content[0]?.text ?? '')).toEqual(pending.structuredContent);
    let told = pending;
    for (let poll = 0; poll < 5; poll += 1) told = await agent.call('check_account_status', { sessionId });
    expect(told).toMatchObject({ isError: true, structuredContent: { error: 'slow_down', status: 429, retry_after: expect.any(Number) } });
    await agent.close();
  });

  test('is told in a result what is wrong with its arguments', async () => {
    const agent = await connect({ url: url() });
    await agent.tools();
    const refused = async (input: Readonly<Record<string, unknown>>): Promise<unknown> => {
      const { isError, structuredContent } = await agent.call('init_signup', input);
      return [isError, structuredContent?.['error'], structuredContent?.['error_description']];
    };
    expect(await refused({})).toEqual([true, 'invalid_request', expect.stringContaining('baseUrl is missing')]);
    expect(await refused({ baseUrl: url(), extra: 1 })).toEqual([
      true,
      'invalid_request',
      expect.stringContaining('extra is not a known property'),
    ]);
    expect(await refused({ baseUrl: 7 })).toEqual([true, 'invalid_request', expect.stringContaining('baseUrl')]);
    expect(await refused({ baseUrl: 'https://elsewhere.example/mcp' })).toEqual([true, 'invalid_request', expect.stringContaining(url())]);
    await agent.close();
  });

  test('goes from a 401 by metadata, consent and token to the same call answered', async () => {
    const memory = createOAuthMemory({ clientId: client.client_id, redirectUri });
    const agent: McpAgent = await connect({ url: url(), memory });
    expect(memory.sentTo).toEqual([]);
    const refusal = await agent.call('check_account_status').catch((error: unknown) => error);
    expect(agent.isUnauthorized(refusal)).toBe(true);
    const [sentTo] = memory.sentTo;
    expect(sentTo?.href.startsWith(`${issuer}/oauth/authorize?`)).toBe(true);
    expect(sentTo?.searchParams.get('resource')).toBe(url());
    expect(sentTo?.searchParams.get('scope')?.split(' ')).toEqual(expect.arrayContaining(['openid', 'profile']));
    await agent.finishAuth(await allow(sentTo as URL));
    const answered = await agent.call('check_account_status');
    expect(answered.structuredContent).toMatchObject({ authenticated: true, status: 'complete', userName: 'Ada Person', sessions: [] });
    expect(await agent.call('register_webhook', { webhookUrl: 'https://hooks.example/x' })).toMatchObject({
      isError: true,
      structuredContent: { error: 'invalid_request', error_description: expect.stringContaining('no sign-up session') },
    });
    await agent.close();
  });

  test('refreshes a token that was revoked by itself, and asks the person again once everything is', async () => {
    // SDK 1.32 never asks for offline_access, which arlo-health has refresh tokens depend on and this platform has not.
    const lasting = await openLasting();
    const memory = createOAuthMemory({ clientId: lasting.client.client_id, redirectUri });
    const agent = await connect({ url: `${lasting.issuer}/mcp`, memory });
    await agent.tools();
    await agent.call('check_account_status').catch(() => null);
    await agent.finishAuth(await allow(memory.sentTo[0] as URL, lasting.account));
    const first = memory.tokens();
    const revoke = (token: string | undefined) =>
      post(`${lasting.issuer}/oauth/revoke`, { token: token ?? '', client_id: lasting.client.client_id });
    await revoke(first?.access_token);
    expect((await agent.call('check_account_status')).structuredContent).toMatchObject({ authenticated: true });
    const second = memory.tokens();
    expect([second?.access_token === first?.access_token, memory.sentTo.length]).toEqual([false, 1]);
    await revoke(second?.refresh_token);
    const refusal = await agent.call('check_account_status').catch((error: unknown) => error);
    expect([agent.isUnauthorized(refusal), memory.sentTo.length]).toEqual([true, 2]);
    await agent.close();
  });
});
