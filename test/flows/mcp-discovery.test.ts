import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { eventually } from '../support/eventually.ts';
import { openWorkbench, type Workbench } from '../support/workbench.ts';

const platform = 'arlo-health';
const host = 'mcp.health.example';

let deployment: Deployment;
let bench: Workbench;
let issuer: string;

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0 });
  bench = openWorkbench(deployment);
  issuer = `${deployment.publicUrl}/${platform}`;
  await bench.configure('housed', {
    issuer: `https://${host}`,
    hosts: [host],
    resources: [
      { uri: 'https://api.health.example', name: 'An API elsewhere', scopes: ['read'] },
      { uri: `https://${host}/mcp`, name: 'Health for agents', scopes: ['read'] },
    ],
    mcpServer: {
      resource: `https://${host}/mcp`,
      name: 'example.health/housed',
      version: '2.0.0',
      description: 'A server on a host of its own',
      publisher: { name: 'Health', url: 'https://health.example' },
    },
  });
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
});

const get = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(`${deployment.publicUrl}${path}`, { headers: { origin: 'https://app.example', ...headers } });
const json = async (path: string): Promise<unknown> => (await get(path)).json();

/** What a client reads that reached the host of the platform `housed`. */
const atHost = (path: string): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }> =>
  new Promise((resolve, reject) => {
    const { port } = new URL(deployment.publicUrl);
    const sent = httpRequest({ host: '127.0.0.1', port, path, headers: { host } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        let body: Readonly<Record<string, unknown>> = { text };
        try {
          body = JSON.parse(text) as Readonly<Record<string, unknown>>;
        } catch {
          // Documentation is no JSON.
        }
        resolve({ status: response.statusCode ?? 0, body });
      });
    });
    sent.on('error', reject);
    sent.end();
  });

describe('the cards of the MCP server', () => {
  test('are told in the form of mcp.json, appended and inserted alike', async () => {
    const card = {
      name: 'arlo-health',
      version: '1.0.0',
      description: 'Virtual telemedicine consultations',
      publisher: { name: 'Arlo Health', url: 'https://www.arlohealth.ai' },
      transport: { type: 'streamable-http', url: `${issuer}/mcp` },
      authentication: { type: 'oauth2', metadata_url: `${deployment.publicUrl}/.well-known/oauth-authorization-server/${platform}` },
    };
    expect(await json(`/${platform}/.well-known/mcp.json`)).toEqual(card);
    expect(await json(`/.well-known/mcp.json/${platform}`)).toEqual(card);
    const metadata = (await (await fetch(card.authentication.metadata_url)).json()) as { readonly issuer: string };
    expect(metadata.issuer).toBe(issuer);
  });

  test('are told as SEP-2127 has them, and nothing in them is about authorization', async () => {
    const response = await get(`/${platform}/mcp/server-card`);
    expect([response.status, response.headers.get('content-type'), response.headers.get('access-control-allow-origin')]).toEqual([
      200,
      expect.stringMatching(/^application\/mcp-server-card\+json(?:;|$)/),
      '*',
    ]);
    expect(response.headers.get('cache-control')).toBe('public, max-age=3600');
    const card = (await response.json()) as Readonly<Record<string, unknown>>;
    expect(card).toEqual({
      $schema: 'https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json',
      name: 'ai.arlohealth/arlo-health',
      version: '1.0.0',
      description: 'Virtual telemedicine consultations',
      title: 'Arlo Health',
      websiteUrl: 'https://www.arlohealth.ai',
      remotes: [
        {
          type: 'streamable-http',
          url: `${issuer}/mcp`,
          supportedProtocolVersions: ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'],
        },
      ],
    });
    const etag = response.headers.get('etag') ?? '';
    for (const [sent, status] of [
      [etag, 304],
      [`"other", W/${etag}`, 304],
      ['"other"', 200],
    ] as const)
      expect([sent, (await get(`/${platform}/mcp/server-card`, { 'if-none-match': sent })).status]).toEqual([sent, status]);
  });

  test('speak the protocol versions that they list', async () => {
    const card = (await json(`/${platform}/mcp/server-card`)) as {
      readonly remotes: readonly { readonly url: string; readonly supportedProtocolVersions: readonly string[] }[];
    };
    const [remote] = card.remotes;
    for (const protocolVersion of remote?.supportedProtocolVersions.slice(1) ?? []) {
      const response = await fetch(remote?.url ?? '', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        body: JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          method: 'initialize',
          params: { protocolVersion, capabilities: {}, clientInfo: { name: 'x', version: '1' } },
        }),
      });
      expect(await response.text()).toContain(`"protocolVersion":"${protocolVersion}"`);
    }
  });

  test('are listed in a catalog for each platform and, in development, in one for all', async () => {
    const response = await get(`/${platform}/.well-known/ai-catalog.json`);
    expect(response.headers.get('content-type')).toMatch(/^application\/ai-catalog\+json(?:;|$)/);
    const entry = {
      identifier: 'urn:air:arlohealth.ai:mcp:arlo-health',
      type: 'application/mcp-server-card+json',
      url: `${issuer}/mcp/server-card`,
    };
    expect(await response.json()).toEqual({ specVersion: '1.0', entries: [entry] });
    const all = (await json('/.well-known/ai-catalog.json')) as { readonly entries: readonly unknown[] };
    expect(all.entries).toEqual(expect.arrayContaining([entry, expect.objectContaining({ url: `https://${host}/mcp/server-card` })]));
    expect(all.entries).toHaveLength(2);
  });

  test('are not there for a platform without an MCP server, nor at the root that belongs to none', async () => {
    for (const path of [
      '/arlo/.well-known/mcp.json',
      '/.well-known/mcp.json/arlo',
      '/arlo/mcp/server-card',
      '/arlo/.well-known/ai-catalog.json',
    ])
      expect([path, (await get(path)).status]).toEqual([path, 404]);
    for (const path of ['/.well-known/mcp.json', '/.well-known/oauth-protected-resource', '/nowhere/mcp/server-card']) {
      const response = await get(path);
      expect([path, response.status, await response.json()]).toEqual([path, 404, expect.objectContaining({ error: 'not_found' })]);
    }
  });
});

describe('a platform on a host of its own', () => {
  test('has every document at the root of its host', async () => {
    await eventually('the host', async () => ((await atHost('/.well-known/mcp.json')).status === 200 ? true : null));
    const at = `https://${host}`;
    expect((await atHost('/.well-known/mcp.json')).body).toMatchObject({
      transport: { url: `${at}/mcp` },
      authentication: { metadata_url: `${at}/.well-known/oauth-authorization-server` },
    });
    expect((await atHost('/.well-known/ai-catalog.json')).body).toMatchObject({ entries: [{ url: `${at}/mcp/server-card` }] });
    expect((await atHost('/mcp/server-card')).body).toMatchObject({ remotes: [{ url: `${at}/mcp` }] });
    expect((await atHost('/.well-known/oauth-authorization-server')).body).toMatchObject({ issuer: at });
    // The root form is the MCP server's, whichever resource the document lists first.
    for (const path of ['/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp'])
      expect((await atHost(path)).body).toMatchObject({ resource: `${at}/mcp`, authorization_servers: [at] });
    expect((await atHost('/llms.txt')).body).toMatchObject({ text: expect.stringContaining(`${at}/docs/authentication.md`) });
  });
});

describe('the documentation as text', () => {
  const pagesOf = async (of: string): Promise<readonly string[]> => {
    const text = await (await get(`/${of}/llms.txt`)).text();
    return [...text.matchAll(/\]\(([^)]+\.md)\)/g)].map(([, url = '']) => url);
  };

  test('lists pages that are there, and whose links lead somewhere', async () => {
    const list = await get(`/${platform}/llms.txt`);
    expect([list.status, list.headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8']);
    const pages = await pagesOf(platform);
    expect(pages.map((url) => url.slice(issuer.length))).toEqual([
      '/docs/authentication.md',
      '/docs/clients.md',
      '/docs/agents.md',
      '/docs/mcp.md',
      '/docs/webhooks.md',
      '/docs/events.md',
    ]);
    for (const url of pages) {
      const response = await fetch(url);
      expect([url, response.status, response.headers.get('content-type')]).toEqual([url, 200, 'text/markdown; charset=utf-8']);
      const text = await response.text();
      expect(text).not.toMatch(/undefined|null|\[object/);
      // Whatever it names is a path of ours: another method, a missing token or a missing parameter, but never nothing.
      const named = [...new Set([...text.matchAll(/http:\/\/localhost:\d+[^\s`)|"}]*/g)].map(([found]) => found))];
      const statuses = await Promise.all(named.map(async (found) => [found, (await fetch(found, { redirect: 'manual' })).status] as const));
      expect(named.length).toBeGreaterThan(0);
      expect(statuses.filter(([, status]) => status === 404)).toEqual([]);
    }
  });

  test('says what the platform has, and of another what that has', async () => {
    const agents = await (await get(`/${platform}/docs/agents.md`)).text();
    for (const error of ['not_authenticated', 'token_expired', 'invalid_grant', 'session_revoked'])
      expect(agents).toContain(`| \`${error}\` |`);
    expect(await (await get(`/${platform}/docs/authentication.md`)).text()).toContain('| `consultations:read` |');
    expect((await pagesOf('arlo')).map((url) => url.split('/docs/')[1])).toEqual([
      'authentication.md',
      'clients.md',
      'webhooks.md',
      'events.md',
    ]);
    for (const path of ['/arlo/docs/agents.md', `/${platform}/docs/nothing.md`, `/${platform}/docs/agents`]) {
      const response = await get(path);
      expect([path, response.status, await response.json()]).toEqual([path, 404, expect.objectContaining({ error: 'not_found' })]);
    }
    expect(await (await get('/llms.txt')).text()).toContain(`${issuer}/llms.txt`);
  });
});
