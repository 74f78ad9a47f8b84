import { auth as secondAuth } from '@modelcontextprotocol/client';
import { auth as firstAuth } from '@modelcontextprotocol/sdk/client/auth.js';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createAgent, pkce } from '../../support/agent.ts';
import { createOAuthMemory, mcpClients } from '../../support/mcp-clients.ts';
import { type ArloHealth, type Person, platform, startArloHealth, wordsOf } from './support/arlo-health.ts';

let health: ArloHealth;
let ada: Person;
beforeAll(async () => {
  health = await startArloHealth(inject('databaseUrl'), { workers: 0 });
  ada = await health.person('Ada');
});
afterAll(() => health.stop());

const identity = 'openid profile email';
const rest = () => health.door('curl over REST');

describe('openid, profile and email', () => {
  test.each(['openid', 'profile', 'email'])('%s is required: a request that names scopes without it is refused by name', async (scope) => {
    const rest = identity.replace(scope, '').trim();
    const refused = await health.door('curl over REST').call('init_signup', { baseUrl: health.issuer, scope: rest });
    expect(refused).toMatchObject({ ok: false, body: { error: 'invalid_request' } });
    expect(JSON.stringify(refused.body)).toContain(`has to name the scope ${scope}`);

    const demo = health.deployment.demo.platforms[platform];
    if (demo === undefined) throw new Error('the demo has no arlo-health');
    const agent = createAgent({ name: platform, demo, scope: rest });
    const page = await fetch(agent.authorizationUrl({ url: health.deployment.publicUrl }, pkce().challenge), { redirect: 'manual' });
    const sentTo = new URL(page.headers.get('location') ?? '');
    expect(Object.fromEntries(sentTo.searchParams)).toMatchObject({
      error: 'invalid_scope',
      error_description: expect.stringContaining(scope),
    });
  });

  test('come by themselves with offline_access where a request names no scope', async () => {
    const tokens = await health.connect(ada, await health.begin(rest()));
    expect(tokens.scope).toBe(`${identity} offline_access`);
    const info = await fetch(`${health.issuer}/oauth/userinfo`, { headers: { authorization: `Bearer ${tokens.access_token}` } });
    expect(await info.json()).toMatchObject({ sub: ada.account.id, name: 'Ada', email: ada.account.email });
  });

  test('are shown to the person one by one', async () => {
    const begun = await health.begin(rest(), { scope: `${identity} consultations:read` });
    const words = wordsOf(await ada.open(begun.authUrl));
    for (const shown of ['Know which Arlo Health account is yours', 'See your name', 'See your email address', 'See your consultations'])
      expect(words).toContain(shown);
    expect(words).not.toContain('Stay connected while you are away');
    expect(words).toContain('For a short while; it then has to ask you again');
  });
});

describe('offline_access', () => {
  test('is what makes a refresh token: without it there is none', async () => {
    const without = await health.connect(ada, await health.begin(rest(), { scope: identity }));
    expect(without).not.toHaveProperty('refresh_token');
    expect(await health.connect(ada, await health.begin(rest()))).toHaveProperty('refresh_token');
  });
});

describe('MCP clients ask for what they are told to', () => {
  const redirectUri = 'http://127.0.0.1:53682/callback';
  const register = () => health.bench.client(platform, { kind: 'public', redirectUris: ['http://127.0.0.1/callback'] });
  const scopesOf = (url: URL | undefined): readonly string[] => url?.searchParams.get('scope')?.split(' ') ?? [];

  test.each(mcpClients.map((client) => [client.name, client] as const))('%s by the challenge, and is let in', async (_, { connect }) => {
    const client = await register();
    const memory = createOAuthMemory({ clientId: client.client_id, redirectUri });
    const agent = await connect({ url: `${health.issuer}/mcp`, memory });
    await expect(agent.call('check_account_status')).rejects.toThrow();
    expect(scopesOf(memory.sentTo[0])).toEqual(expect.arrayContaining(identity.split(' ')));
    expect(wordsOf(await ada.open(memory.sentTo[0]?.href ?? ''))).toContain('See your email address');
    await agent.close();
  });

  test.each([
    ['SDK 1.32', firstAuth],
    ['client v2', secondAuth],
  ] as const)('%s by the metadata of the resource, where there is no challenge', async (_, auth) => {
    const client = await register();
    const memory = createOAuthMemory({ clientId: client.client_id, redirectUri });
    // Its own types do not agree with exactOptionalPropertyTypes.
    expect(await auth(memory as never, { serverUrl: `${health.issuer}/mcp` })).toBe('REDIRECT');
    // What every request has to have; what a tool needs besides, its challenge says.
    expect(scopesOf(memory.sentTo[0])).toEqual(expect.arrayContaining(identity.split(' ')));
    expect(scopesOf(memory.sentTo[0])).not.toContain('consultations:read');
    expect(wordsOf(await ada.open(memory.sentTo[0]?.href ?? ''))).toContain('See your email address');
  });
});
