import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createOAuthMemory, mcpClients } from '../../support/mcp-clients.ts';
import type { TestAccount } from '../../support/workbench.ts';
import { type Along, callback, startAlong } from './support/along.ts';
import { allowWithSafe, ownerOfSafes } from './support/safes.ts';

/** The MCP server of the example resources, behind the proxy, with clients that come unannounced. */
let along: Along;

beforeAll(async () => {
  along = await startAlong(inject('databaseUrl'), { exampleSettings: { ALONG_PREVIEW: 'on' } });
});
afterAll(() => along.stop());

const owner = (): Promise<TestAccount> => ownerOfSafes(along);

describe.each(mcpClients)('$name', ({ name, connect }) => {
  const speaks1 = name === 'SDK 1.32';
  const connected = async (url: string, choice: string) => {
    const account = await owner();
    const memory = createOAuthMemory({ redirectUri: callback });
    const agent = await connect({ url, memory, authorize: (sentTo) => allowWithSafe(sentTo, account, choice) });
    return { account, memory, agent };
  };

  test('registers itself, asks for the Safe of its person, and keeps what they chose through a refresh', async () => {
    const { agent, memory } = await connected(along.mcp, 'safe_home');
    const [sentTo] = memory.sentTo;
    expect([sentTo?.searchParams.get('scope'), sentTo?.searchParams.get('resource')]).toEqual(['vault:read', along.mcp]);
    expect((await agent.tools()).map(({ name }) => name)).toEqual(['along_list_safes', 'along_select_safe', 'along', 'along_remember']);
    expect((await agent.call('along_list_safes')).structuredContent).toEqual({
      safes: [
        { safeId: 'safe_home', name: 'Home', selected: true },
        { safeId: 'safe_work', name: 'Work', selected: false },
      ],
    });
    const changed = await agent.call('along_select_safe', { safeId: 'safe_work' });
    expect(changed.structuredContent).toEqual({
      message: 'Now using Work',
      previousSafeId: 'safe_home',
      newSafeId: 'safe_work',
      newSafeName: 'Work',
    });
    const before = memory.tokens()?.access_token;
    await revokeAccess(memory);
    const answered = await agent.call('along', { query: 'When is the review?' });
    expect([memory.tokens()?.access_token === before, memory.sentTo.length]).toEqual([false, 1]);
    expect(answered.structuredContent).toEqual({
      safeId: 'safe_work',
      safeName: 'Work',
      answers: ['The quarterly review is on the second Tuesday.'],
    });
    await agent.close();
  });

  test('is told in a result what it cannot select', async () => {
    const { agent } = await connected(along.mcp, 'safe_home');
    const refused = async (input: Readonly<Record<string, unknown>>) => {
      const { isError, content } = await agent.call('along_select_safe', input);
      return [isError, content[0]?.text];
    };
    expect(await refused({})).toEqual([true, 'safeId is required']);
    expect(await refused({ safeId: 'safe_of_nobody' })).toEqual([true, 'Safe not found or not active']);
    expect(await refused({ safeId: 'safe_family' })).toEqual([true, 'You do not have access to this safe']);
    await agent.close();
  });

  test('is refused a tool that needs more; v2 then asks its person for it, where SDK 1.32 only refreshes what it has', async () => {
    const { account, agent, memory } = await connected(along.mcp, 'safe_home');
    const remember = () => agent.call('along_remember', { note: 'The cat is called Grit.' });
    const refusal = await remember().catch((error: unknown) => error);
    const [stepUp, ...more] = memory.sentTo.slice(1);
    if (speaks1) {
      expect([stepUp, String(refusal)]).toEqual([undefined, expect.stringContaining('403')]);
    } else {
      expect([agent.isUnauthorized(refusal), more]).toEqual([true, []]);
      expect(stepUp?.searchParams.get('scope')?.split(' ')).toEqual(['vault:read', 'vault:write']);
      if (stepUp === undefined) return;
      await agent.finishAuth(await allowWithSafe(stepUp, account, 'safe_work'));
      expect((await remember()).structuredContent).toEqual({ safeId: 'safe_work', safeName: 'Work', message: 'Remembered' });
      expect((await agent.call('along', { query: 'What is the cat called?' })).structuredContent).toMatchObject({
        answers: expect.arrayContaining(['The cat is called Grit.']),
      });
      expect(memory.sentTo).toHaveLength(2);
    }
    await agent.close();
  });
});

/** One message of a client by hand, so that status and challenge are seen. */
const send = (url: string, token: string | null, message: object = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }) =>
  fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(message),
  });
const challengeOf = (response: Response): string => response.headers.get('www-authenticate') ?? '';
const metadataUrl = (resource: string): string =>
  resource.replace(`${along.deployment.publicUrl}/`, `${along.deployment.publicUrl}/.well-known/oauth-protected-resource/`);

const tokenFor = async (resource: string, account: TestAccount, change: Readonly<Record<string, string>> = {}): Promise<string> => {
  const client = await along.newClient();
  const code = await along.code(client, account, { resource, ...change });
  const { status, body } = await along.redeem(client, code);
  expect(status, JSON.stringify(body)).toBe(200);
  return String(body['access_token']);
};

describe('a challenge', () => {
  test('without a token names the metadata of that very URL and the scope, and no error', async () => {
    for (const url of [along.mcp, `${along.mcp}/safe_home`]) {
      const response = await send(url, null);
      expect([response.status, challengeOf(response)]).toEqual([401, expect.stringMatching(/^Bearer (?!.*error=)/)]);
      expect(challengeOf(response)).toContain(`resource_metadata="${metadataUrl(url)}"`);
      expect(challengeOf(response)).toContain('scope="vault:read"');
      expect(await (await fetch(metadataUrl(url))).json()).toMatchObject({ resource: url, authorization_servers: [along.issuer] });
    }
  });

  test('of a tool that needs more is 403, with everything that it needs in one challenge', async () => {
    const token = await tokenFor(along.mcp, await owner());
    const call = { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'along_remember', arguments: { note: 'x' } } };
    const response = await send(along.mcp, token, call);
    expect(response.status).toBe(403);
    for (const part of ['error="insufficient_scope"', 'scope="vault:write"', `resource_metadata="${metadataUrl(along.mcp)}"`])
      expect(challengeOf(response)).toContain(part);
    const wider = await tokenFor(along.mcp, await owner(), { scope: 'vault:read vault:write' });
    expect((await send(along.mcp, wider, call)).status).toBe(200);
  });
});

describe('a token without vault:read', () => {
  test('opens none of the tools', async () => {
    const scopes = [
      { name: 'vault:read', description: 'Read what is in your Safes', default: true },
      { name: 'vault:write', description: 'Add to and change what is in your Safes', implies: ['vault:read'] },
    ];
    const other = { name: 'vault:count', description: 'Know how many Safes you have' };
    const resource = { uri: along.mcp, name: 'Along Safes', perContext: true };
    const upstream = `${along.deployment.examples?.url}/along/mcp/v1`;
    const named = [...scopes, other].map(({ name }) => name);
    await along.configure({ scopes: [...scopes, other], resources: [{ ...resource, upstream, scopes: named }] });
    const token = await tokenFor(along.mcp, await owner(), { scope: other.name });
    for (const name of ['along_list_safes', 'along_select_safe', 'along']) {
      const response = await send(along.mcp, token, { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } });
      expect([name, response.status]).toEqual([name, 403]);
      expect(challengeOf(response)).toContain('scope="vault:read"');
    }
    expect((await send(along.mcp, token)).status).toBe(403);
    await along.configure({});
  });
});

describe('a token for one Safe', () => {
  test('is good at the URL of that Safe, and at no other', async () => {
    const account = await owner();
    const home = `${along.mcp}/safe_home`;
    const token = await tokenFor(home, account);
    expect((await along.introspect(token)).body).toMatchObject({ active: true, aud: home, context: 'safe_home' });
    expect((await send(home, token)).status).toBe(200);
    for (const elsewhere of [`${along.mcp}/safe_work`, along.mcp, `${along.mcp}/safe_of_nobody`]) {
      const response = await send(elsewhere, token);
      expect([elsewhere, response.status, challengeOf(response)]).toEqual([
        elsewhere,
        401,
        expect.stringContaining('error="invalid_token"'),
      ]);
    }
    const everything = await tokenFor(along.mcp, account);
    expect((await send(home, everything)).status).toBe(401);
  });

  test('cannot be had for the Safe of somebody else', async () => {
    const client = await along.newClient();
    await expect(along.code(client, await owner(), { resource: `${along.mcp}/safe_family` })).rejects.toThrow();
  });

  test('selects no other', async () => {
    const home = `${along.mcp}/safe_home`;
    const token = await tokenFor(home, await owner());
    const call = { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'along_select_safe', arguments: { safeId: 'safe_work' } } };
    const response = await send(home, token, call);
    expect(await response.text()).toContain('This connection is for one Safe');
    expect((await along.introspect(token)).body).toMatchObject({ context: 'safe_home' });
  });
});

const revokeAccess = async (memory: ReturnType<typeof createOAuthMemory>): Promise<void> => {
  const client = memory.clientInformation();
  await fetch(`${along.issuer}/oauth/revoke`, {
    method: 'POST',
    body: new URLSearchParams({ token: memory.tokens()?.access_token ?? '', client_id: client?.client_id ?? '' }),
  });
};
