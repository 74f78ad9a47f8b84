import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { deviceCode, openRegistrations, type Registrations, stumblingBlocks } from './support/registrations.ts';

let world: Registrations;
beforeAll(async () => {
  world = await openRegistrations(inject('databaseUrl'));
});
afterAll(() => world.close());

const usual = { grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], scope: 'vault:read vault:write' };

describe('a client of the field', () => {
  const bodies: Readonly<Record<string, { readonly redirect_uris: readonly string[] } & Readonly<Record<string, unknown>>>> = {
    Cursor: {
      client_name: 'Cursor',
      redirect_uris: [
        'cursor://anysphere.cursor-mcp/oauth/callback',
        'https://www.cursor.com/agents/mcp/oauth/callback',
        'http://localhost:8787/callback',
      ],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    'Claude Code': {
      client_name: 'Claude Code (along)',
      redirect_uris: ['http://localhost:3118/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      scope: 'vault:read',
    },
    'claude.ai': {
      client_name: 'Claude',
      redirect_uris: ['https://claude.ai/api/mcp/auth_callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      scope: 'vault:read',
    },
    'VS Code': {
      client_name: 'Visual Studio Code',
      client_uri: 'https://code.visualstudio.com',
      redirect_uris: [
        'https://insiders.vscode.dev/redirect',
        'https://vscode.dev/redirect',
        'http://127.0.0.1/',
        'http://127.0.0.1:33418/',
      ],
      grant_types: ['authorization_code', 'refresh_token', deviceCode],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    },
    'mcp-remote': {
      client_name: 'MCP CLI Client',
      client_uri: 'https://github.com/modelcontextprotocol/mcp-cli',
      redirect_uris: ['http://localhost:3334/oauth/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      software_id: '2e6dc280-f3c3-4e01-99a7-8181dbd1d23d',
      software_version: '0.1.38',
      scope: 'openid email profile',
    },
    Codex: {
      client_name: 'Codex',
      redirect_uris: ['http://127.0.0.1:53682/callback/4f1f2c'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    },
    opencode: {
      client_name: 'OpenCode',
      client_uri: 'https://opencode.ai',
      redirect_uris: ['http://127.0.0.1:19876/mcp/oauth/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    'a Python client with a secret on loopback': {
      client_name: 'A script',
      redirect_uris: ['http://localhost:3030/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_post',
    },
  };

  test.each(Object.entries(bodies))('registers: %s', async (_, sent) => {
    const { status, body } = await world.register(sent);
    expect(status).toBe(201);
    expect(body).toMatchObject({ ...usual, client_name: sent['client_name'], redirect_uris: sent.redirect_uris });
    expect(body['token_endpoint_auth_method']).toBe(sent['token_endpoint_auth_method']);
    expect(stumblingBlocks(body)).toEqual([]);
    // Where it lets people be sent: each of its URIs, and the loopback ones on whatever port it got this time.
    for (const uri of sent.redirect_uris) expect((await world.authorize(String(body['client_id']), uri)).text).toContain('name="email"');
    const [loopback] = sent.redirect_uris.filter((uri) => uri.startsWith('http:'));
    if (loopback === undefined) return;
    const moved = new URL(loopback);
    moved.port = '61234';
    expect((await world.authorize(String(body['client_id']), moved.href)).text).toContain('name="email"');
  });
});
