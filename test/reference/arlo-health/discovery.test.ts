import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type ArloHealth, deviceCode, platform, startArloHealth } from './support/arlo-health.ts';

let health: ArloHealth;
let origin: string;
beforeAll(async () => {
  health = await startArloHealth(inject('databaseUrl'), { workers: 0 });
  origin = health.deployment.publicUrl;
});
afterAll(() => health.stop());

const read = async (url: string): Promise<Readonly<Record<string, unknown>>> => {
  const answer = await fetch(url);
  expect([url, answer.status]).toEqual([url, 200]);
  return (await answer.json()) as Record<string, unknown>;
};

describe('the discovery endpoints', () => {
  test('/.well-known/mcp.json is the card of the document, at every form of its URL', async () => {
    for (const url of [`${health.issuer}/.well-known/mcp.json`, `${origin}/.well-known/mcp.json/${platform}`]) {
      expect(await read(url)).toEqual({
        name: 'arlo-health',
        version: '1.0.0',
        description: 'Virtual telemedicine consultations',
        publisher: { name: 'Arlo Health', url: 'https://www.arlohealth.ai' },
        transport: { type: 'streamable-http', url: `${health.issuer}/mcp` },
        authentication: { type: 'oauth2', metadata_url: `${origin}/.well-known/oauth-authorization-server/${platform}` },
      });
    }
  });

  test('the server card of SEP-2127 and its catalog say the same', async () => {
    const catalog = await read(`${health.issuer}/.well-known/ai-catalog.json`);
    const [entry] = catalog['entries'] as readonly { readonly url: string }[];
    expect(await read(entry?.url ?? '')).toMatchObject({
      name: 'ai.arlohealth/arlo-health',
      version: '1.0.0',
      description: 'Virtual telemedicine consultations',
      remotes: [{ type: 'streamable-http', url: `${health.issuer}/mcp` }],
    });
  });

  test('/.well-known/oauth-protected-resource leads from the MCP server to its authorization server', async () => {
    const forms = [
      `${origin}/.well-known/oauth-protected-resource/${platform}/mcp`,
      `${health.issuer}/.well-known/oauth-protected-resource`,
    ];
    for (const url of forms) {
      const metadata = await read(url);
      expect(metadata).toMatchObject({
        resource: `${health.issuer}/mcp`,
        authorization_servers: [health.issuer],
        bearer_methods_supported: ['header'],
      });
      expect(metadata['scopes_supported']).toEqual(expect.arrayContaining(['openid', 'profile', 'email']));
    }
  });

  test('/.well-known/oauth-authorization-server has what the document prints, under one issuer', async () => {
    const metadata = await read(`${origin}/.well-known/oauth-authorization-server/${platform}`);
    expect(metadata).toMatchObject({
      issuer: health.issuer,
      authorization_endpoint: `${health.issuer}/oauth/authorize`,
      token_endpoint: `${health.issuer}/oauth/token`,
      device_authorization_endpoint: `${health.issuer}/oauth/device_authorization`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
    });
    expect(metadata['grant_types_supported']).toEqual(expect.arrayContaining(['authorization_code', 'refresh_token', deviceCode]));
    expect(metadata['token_endpoint_auth_methods_supported']).toContain('none');
    expect(metadata['scopes_supported']).toEqual(expect.arrayContaining(['openid', 'profile', 'email', 'offline_access']));
  });
});

describe('the documentation', () => {
  test('is listed in llms.txt, every page of which is text and true to the platform', async () => {
    const index = await fetch(`${health.issuer}/llms.txt`);
    expect([index.status, index.headers.get('content-type')]).toEqual([200, expect.stringMatching(/^text\/plain/)]);
    const links = [...(await index.text()).matchAll(/\((http[^)]+\.md)\)/g)].map(([, url = '']) => url);
    expect(links.length).toBeGreaterThan(2);
    const pages = await Promise.all(
      links.map(async (url) => {
        const page = await fetch(url);
        expect([url, page.status, page.headers.get('content-type')]).toEqual([
          url,
          200,
          expect.stringMatching(/^text\/(?:plain|markdown)/),
        ]);
        return page.text();
      }),
    );
    const all = pages.join('\n');
    for (const told of [
      `${health.issuer}/oauth/token`,
      'init_signup',
      'check_account_status',
      'not_authenticated',
      'session_revoked',
      'offline_access',
    ])
      expect(all).toContain(told);
  });
});
