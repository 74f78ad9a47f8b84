import { createFormBrowser } from '@grantlog/cli';
import { parseToken } from '@grantlog/crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { pkce } from '../../support/agent.ts';
import { createVisitor, type Visit } from '../../support/visitor.ts';
import type { TestAccount } from '../../support/workbench.ts';
import { type Along, callback, startAlong } from './support/along.ts';

/** The document of Along, in its order. */
let along: Along;
let account: TestAccount;

beforeAll(async () => {
  along = await startAlong(inject('databaseUrl'));
  account = await along.account();
});
afterAll(() => along.stop());

/** A preset client of the platform: its errors go back to it, also before anybody has signed in. */
const known = 'claude-code';
const ask = (change: Readonly<Record<string, string | null>> = {}): Promise<Visit> => {
  const url = new URL(along.authorizeUrl(known, pkce().challenge));
  for (const [name, value] of Object.entries(change)) {
    if (value === null) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  return createVisitor(null).open(url.href);
};
const told = (visit: Visit): Readonly<Record<string, string>> => Object.fromEntries(visit.location?.searchParams ?? []);

describe('the metadata', () => {
  test('has every member that the document prints, under one issuer', async () => {
    const response = await fetch(`${along.deployment.publicUrl}/.well-known/oauth-authorization-server/along`);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, expect.stringContaining('application/json')]);
    expect(await response.json()).toMatchObject({
      issuer: along.issuer,
      authorization_endpoint: `${along.issuer}/oauth/authorize`,
      token_endpoint: `${along.issuer}/oauth/token`,
      registration_endpoint: `${along.issuer}/oauth/register`,
      response_types_supported: ['code'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_methods_supported: expect.arrayContaining(['none']),
      code_challenge_methods_supported: ['S256'],
      scopes_supported: ['vault:read', 'vault:write'],
    });
  });

  test('of the MCP server asks for vault:read, which is enough for every tool', async () => {
    const response = await fetch(`${along.deployment.publicUrl}/.well-known/oauth-protected-resource/along/mcp/v1`);
    expect(await response.json()).toMatchObject({ resource: along.mcp, scopes_supported: ['vault:read'] });
  });
});

describe('the authorization request', () => {
  test.each([
    ['response_type', { response_type: null }, 'invalid_request'],
    ['response_type=code', { response_type: 'token' }, 'unsupported_response_type'],
    ['code_challenge', { code_challenge: null, code_challenge_method: null }, 'invalid_request'],
    ['a code_challenge that is a digest', { code_challenge: 'short' }, 'invalid_request'],
    ['code_challenge_method', { code_challenge_method: null }, 'invalid_request'],
    ['code_challenge_method=S256', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['scopes that there are', { scope: 'vault:read vault:burn' }, 'invalid_scope'],
    ['a resource of this server', { resource: 'https://elsewhere.example/mcp' }, 'invalid_target'],
  ])('needs %s', async (_what, change, error) => {
    expect(told(await ask(change))).toMatchObject({ error, state: 'state-1', iss: along.issuer });
  });

  test.each([
    ['client_id', { client_id: null }],
    ['a client_id that is known', { client_id: 'nobody' }],
    ['a redirect_uri, where several are registered', { redirect_uri: null }],
    ['a redirect_uri that is registered for that client', { redirect_uri: 'https://claude.ai/api/mcp/auth_callback' }],
  ])('needs %s, and is answered with a page and never by a redirect', async (_what, change) => {
    const page = await ask(change);
    expect([page.status, page.location, page.headers.get('content-type')]).toEqual([400, null, expect.stringContaining('text/html')]);
  });

  test('needs no scope, no state and no resource: vault:read and the MCP server are meant, and nothing comes back that was not sent', async () => {
    const { code, verifier, back } = await along.code(known, account, { state: '' });
    expect([...back.searchParams.keys()].toSorted()).toEqual(['code', 'iss']);
    const { status, body } = await along.redeem(known, { code, verifier });
    expect([status, body['scope']]).toEqual([200, 'vault:read']);
    expect((await along.introspect(String(body['access_token']))).body).toMatchObject({ aud: along.mcp, scope: 'vault:read' });
  });

  test('returns state unchanged, byte for byte', async () => {
    const state = 'a b&c=d/ä?#%25';
    const { back } = await along.code(known, account, { state });
    expect(back.searchParams.get('state')).toBe(state);
  });

  test('may ask for vault:write, which has vault:read in it', async () => {
    const { code, verifier } = await along.code(known, account, { scope: 'vault:write' });
    const { body } = await along.redeem(known, { code, verifier });
    expect(body['scope']).toBe('vault:write');
    expect(
      String((await along.introspect(String(body['access_token']))).body['scope'])
        .split(' ')
        .toSorted(),
    ).toEqual(['vault:read', 'vault:write']);
  });
});

describe('the known redirect patterns', () => {
  const redirects: readonly (readonly [client: string, redirectUri: string])[] = [
    ['claude', 'https://claude.ai/api/mcp/auth_callback'],
    ['claude', 'https://claude.com/api/mcp/auth_callback'],
    ['claude-code', 'http://localhost:3118/callback'],
    ['claude-code', 'http://[::1]:3118/callback'],
    ['chatgpt', 'https://chatgpt.com/connector_platform_oauth_redirect'],
    ['cursor', 'cursor://anysphere.cursor-mcp/oauth/callback'],
    ['cursor', 'https://www.cursor.com/agents/mcp/oauth/callback'],
    ['cursor', 'http://localhost:8787/callback'],
    ['vscode', 'https://vscode.dev/redirect'],
    ['vscode', 'https://insiders.vscode.dev/redirect'],
    ['vscode', 'http://127.0.0.1:33418/'],
    ['vscode', 'http://127.0.0.1:50123/'],
  ];
  test.each(redirects)('are of the preset client %s: %s', async (client, redirectUri) => {
    const { back } = await along.code(client, await along.account(), { redirect_uri: redirectUri });
    expect([back.href.startsWith(`${redirectUri}?`), back.searchParams.has('code')]).toEqual([true, true]);
  });

  test.each([
    ['claude', 'https://claude.ai/api/mcp/auth_callback/'],
    ['claude', 'https://claude.ai/other'],
    ['claude', 'https://claude.ai.evil.example/api/mcp/auth_callback'],
    ['claude', 'http://localhost/callback'],
    ['chatgpt', 'https://chatgpt.com/'],
    ['claude-code', 'http://127.0.0.1:3118/other'],
    ['claude-code', 'http://127.0.0.2:3118/callback'],
    ['nobody-knows-it', 'https://claude.ai/api/mcp/auth_callback'],
    ['nobody-knows-it', 'http://localhost/callback'],
  ])('give %s nothing at %s', async (client, redirectUri) => {
    const page = await ask({ client_id: client, redirect_uri: redirectUri });
    expect([page.status, page.location]).toEqual([400, null]);
  });
});

describe('the consent', () => {
  test('is a page after signing in that says who asks, how that is known, where the answer goes and what for', async () => {
    const browser = createFormBrowser();
    const signIn = await browser.open(
      along.authorizeUrl('claude', pkce().challenge, { redirect_uri: 'https://claude.ai/api/mcp/auth_callback' }),
    );
    expect(signIn.form?.inputs).toEqual(expect.arrayContaining(['email', 'password']));
    const consent = await browser.submit(signIn, { email: account.email, password: account.password });
    for (const words of [
      'Allow Claude?',
      account.email,
      'set up by the operator',
      'claude.ai',
      'Read what is in your Safes',
      'Along Safes',
    ])
      expect(consent.html).toContain(words);
  });

  test('refused goes back to the client as access_denied', async () => {
    const browser = createFormBrowser();
    const signIn = await browser.open(along.authorizeUrl(known, pkce().challenge));
    const consent = await browser.submit(signIn, { email: account.email, password: account.password });
    const { location } = await browser.submit(consent, { decision: 'deny' });
    expect(Object.fromEntries(new URL(location ?? '').searchParams)).toMatchObject({
      error: 'access_denied',
      state: 'state-1',
      iss: along.issuer,
    });
  });
});

describe('tokens', () => {
  test('begin with avo_, and last as long as the table says', async () => {
    const { code, verifier } = await along.code(known, account);
    const before = Math.floor(Date.now() / 1000);
    const { headers, body } = await along.redeem(known, { code, verifier });
    expect(body).toEqual({
      access_token: expect.stringMatching(/^avo_[A-Za-z0-9_-]+$/),
      refresh_token: expect.stringMatching(/^avo_[A-Za-z0-9_-]+$/),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'vault:read',
    });
    expect([headers.get('cache-control'), headers.get('pragma')]).toEqual([expect.stringContaining('no-store'), 'no-cache']);
    const seconds = (token: unknown): number => (parseToken(String(token))?.payload.expiresAt ?? 0) - before;
    for (const [token, lasts] of [
      [body['access_token'], 3600],
      [body['refresh_token'], 90 * 86_400],
    ] as const) {
      expect(seconds(token)).toBeGreaterThanOrEqual(lasts);
      expect(seconds(token)).toBeLessThanOrEqual(lasts + 10);
    }
  });

  test('are renewed as a pair, and the old refresh token is dead at once: shown again, it ends the connection', async () => {
    const client = await along.newClient();
    const first = (await along.redeem(client, await along.code(client, account))).body;
    const second = await along.refresh(client, String(first['refresh_token']));
    expect(second.status).toBe(200);
    for (const name of ['access_token', 'refresh_token']) expect(second.body[name]).not.toBe(first[name]);
    const again = await along.refresh(client, String(first['refresh_token']));
    expect([again.status, again.body['error']]).toEqual([400, 'invalid_grant']);
    expect((await along.refresh(client, String(second.body['refresh_token']))).status).toBe(400);
  });

  test('are explained to developers, with what strict rotation does to clients that race and how it is changed', async () => {
    const text = await (await fetch(`${along.issuer}/docs/authentication.md`)).text();
    expect(text).toContain('a refresh token is dead the moment it has been used');
    expect(text).toMatch(/race[\s\S]*60 seconds|race[\s\S]*1 minute/);
    await along.configure({ refresh: { retrySeconds: 60 } });
    expect(await (await fetch(`${along.issuer}/docs/authentication.md`)).text()).toContain('is answered with the identical tokens');
    await along.configure({});
  });

  test('keep their code for ten minutes', async () => {
    const { back } = await along.code(known, account);
    const issued = Math.floor(Date.now() / 1000);
    const expiresAt = parseToken(back.searchParams.get('code') ?? '')?.payload.expiresAt ?? 0;
    expect(expiresAt - issued).toBeGreaterThan(590);
    expect(expiresAt - issued).toBeLessThanOrEqual(600);
  });

  test('are not given for a code whose time is over, nor for another verifier', async () => {
    const good = await along.code(known, account);
    const other = await along.redeem(known, { ...good, verifier: pkce().verifier });
    expect([other.status, other.body['error']]).toEqual([400, 'invalid_grant']);
    expect((await along.redeem(known, good)).status).toBe(200);
    // The least that a document can say.
    await along.configure({ lifetimes: { accessTokenSeconds: 3600, refreshTokenSeconds: 7_776_000, codeSeconds: 10 } });
    const short = await along.code(known, account);
    await along.configure({});
    await new Promise((resolve) => setTimeout(resolve, 10_500));
    const late = await along.redeem(known, short);
    expect([late.status, late.body['error']]).toEqual([400, 'invalid_grant']);
  });
});

describe('client registration', () => {
  test('needs a name and redirect URIs, and the id works at once', async () => {
    const answer = await along.register({ client_name: 'My Custom Integration', redirect_uris: [callback] });
    expect([answer.status, answer.body['client_name']]).toEqual([201, 'My Custom Integration']);
    const without = await along.register({ client_name: 'Nowhere to go' });
    expect([without.status, without.body['error']]).toEqual([400, 'invalid_redirect_uri']);
  });
});
