import { deviceCodeGrant } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type AgentWorld, openAgentWorld } from './support/agents.ts';

type Answer = {
  readonly verification_uri_complete?: string;
  readonly result?: { readonly structuredContent: { readonly authUrl: string } };
};

let world: AgentWorld;
let platform: PlatformId;
const unproved = 'It has proved nothing: anybody can begin in this name.';

beforeAll(async () => {
  world = await openAgentWorld(inject('databaseUrl'));
  const grantTypes = [deviceCodeGrant, 'refresh_token'];
  platform = await world.configure('named', {
    presetClients: [
      { clientId: 'unidentified-agent', name: 'Unidentified agent', type: 'public', grantTypes },
      { clientId: 'official-app', name: 'The Official App', type: 'public', grantTypes },
    ],
    resources: [{ uri: 'https://named.example/mcp', name: 'Agents', scopes: ['openid', 'read', 'write'] }],
    mcpServer: {
      resource: 'https://named.example/mcp',
      name: 'example.named/named',
      version: '1.0.0',
      description: 'Named',
      publisher: { name: 'Named', url: 'https://named.example' },
    },
  });
});
afterAll(() => world.close());

describe('the page that asks', () => {
  test('vouches for no name that anybody can begin with', async () => {
    const begun = await world.app.inject({
      method: 'POST',
      url: `/${platform}/rest/signup`,
      payload: { baseUrl: 'https://named.example/mcp', clientId: 'official-app' },
    });
    expect(begun.statusCode).toBe(201);
    const { pathname } = new URL(begun.json<{ readonly authUrl: string }>().authUrl);
    const { page } = await world.atConnect({ path: pathname.slice(platform.length + 1), platform });
    expect(page.status).toBe(200);
    expect(page.text).toContain('The Official App');
    expect(page.text).toContain('set up by the operator of this platform');
    expect(page.text).toContain(unproved);
  });

  test('says so of no agent that has named nobody', async () => {
    const { page } = await world.atConnect(await world.begin({ platform }));
    expect(page.text).toContain('Nobody has verified it.');
    expect(page.text).not.toContain(unproved);
  });

  // A page that its visitor has opened begins from the visitor's own address, by the visitor's own browser.
  test.each([
    [
      'the device authorization endpoint',
      '/oauth/device_authorization',
      'application/x-www-form-urlencoded',
      'client_id=official-app',
      ({ verification_uri_complete }: Answer) => verification_uri_complete,
    ],
    [
      'a tool',
      '/mcp',
      'application/json',
      JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'init_signup', arguments: { baseUrl: 'https://named.example/mcp' } },
      }),
      ({ result }: Answer) => result?.structuredContent.authUrl,
    ],
  ] as const)('names the page of a browser that began by %s', async (_, path, type, payload, linkOf) => {
    const begun = await world.app.inject({
      method: 'POST',
      url: `/${platform}${path}`,
      headers: {
        'content-type': type,
        accept: 'application/json, text/event-stream',
        origin: 'http://localhost:9999',
        'user-agent': 'Mozilla/5.0',
      },
      payload,
    });
    const link = linkOf(JSON.parse(begun.body.replace(/^event: message\s+data: /, '')) as Answer) ?? '';
    const { page } = await world.atConnect({ path: new URL(link).pathname.slice(platform.length + 1), platform });
    expect(page.text).toContain('<code>a page of http://localhost:9999, in Mozilla/5.0</code>');
  });

  test('cannot be had with one button by an agent that has named nobody', async () => {
    const begin = async (clientId: string) => {
      const begun = await world.app.inject({
        method: 'POST',
        url: `/${platform}/oauth/device_authorization`,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        payload: `client_id=${clientId}`,
      });
      return Object.keys(begun.json<Answer>());
    };
    const members = ['device_code', 'user_code', 'verification_uri', 'verification_uri_complete', 'expires_in', 'interval'];
    expect(await begin('official-app')).toEqual(members);
    expect(await begin('unidentified-agent')).toEqual(members.filter((name) => name !== 'verification_uri_complete'));
  });
});
