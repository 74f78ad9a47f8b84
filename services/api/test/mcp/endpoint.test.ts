import { randomUuid } from '@grantlog/crypto';
import { parsePlatformDocument } from '@grantlog/domain';
import { LogUnavailable } from '@grantlog/eventsourcing';
import { createDatabase, migrate } from '@grantlog/postgres';
import { configurePlatform } from '@grantlog/provisioning';
import { createLogger, type ServiceConfig } from '@grantlog/runtime';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import { type Composed, compose } from '../../src/compose.ts';
import { testConfig } from '../support/config.ts';

const publicUrl = 'https://auth.example';
const lines: string[] = [];
const logger = createLogger({ service: 'api', level: 'debug', destination: { write: (line: string) => void lines.push(line) } });
let deps: Composed;
let config: ServiceConfig;

beforeAll(async () => {
  const databaseUrl = await createDatabase({ connectionString: inject('databaseUrl'), name: `mcp_${randomUuid().replaceAll('-', '')}` });
  await migrate({ connectionString: databaseUrl });
  config = testConfig(databaseUrl, { publicUrl, isDevelopment: false });
  deps = await compose(config, logger);
  const parsed = parsePlatformDocument({
    name: 'health',
    displayName: 'Health',
    scopes: [{ name: 'read', description: 'Read', default: true }],
    resources: [{ uri: 'https://mcp.elsewhere.example/mcp', name: 'Agents', scopes: ['read'] }],
    registration: { policy: ['preset'] },
    grantTypes: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    presetClients: [{ clientId: 'anybody', name: 'Anybody', type: 'public', grantTypes: ['urn:ietf:params:oauth:grant-type:device_code'] }],
    agentSignUp: { unidentifiedClient: 'anybody' },
    mcpServer: {
      resource: 'https://mcp.elsewhere.example/mcp',
      name: 'example.health/health',
      version: '1.0.0',
      description: 'Health',
      publisher: { name: 'Health', url: 'https://health.example' },
    },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  await configurePlatform(deps.provisioning, { actor: { kind: 'system', id: 'test' }, correlationId: 'test' }, parsed.document);
});
afterAll(() => deps.stop());

const eras = {
  'of before 2026-07-28': { headers: {}, meta: {} },
  'of 2026-07-28': {
    headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'init_signup' },
    meta: {
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'x', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  },
} as const;

const ask = async (app: FastifyInstance, era: (typeof eras)[keyof typeof eras], name = 'init_signup') => {
  const response = await app.inject({
    method: 'POST',
    url: '/health/mcp',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...era.headers, host: 'auth.example' },
    payload: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: { baseUrl: `${publicUrl}/health` }, ...era.meta } },
  });
  return { status: response.statusCode, text: response.body, headers: response.headers };
};

/** The server with something under its operations that fails like this. */
const openBroken = async (error: Error): Promise<FastifyInstance> => {
  const app = await createApp({ ...deps, logger, keys: { ...deps.keys, of: () => Promise.reject(error) } });
  await app.ready();
  return app;
};

describe.each(Object.entries(eras))('a tool that fails for a client %s', (_, era) => {
  test('is a failure of the server, logged with its cause and told to nobody', async () => {
    const app = await openBroken(new Error('canary of a defect'));
    lines.length = 0;
    const { status, text } = await ask(app, era);
    expect([status, text]).toEqual([500, expect.stringContaining('server_error')]);
    expect(text).not.toContain('canary');
    expect(lines.filter((line) => line.includes('request failed') && line.includes('canary of a defect'))).toHaveLength(1);
    await app.close();
  });

  test('is told to come back where the log cannot be reached', async () => {
    const app = await openBroken(new LogUnavailable('canary'));
    const { status, headers } = await ask(app, era);
    expect([status, headers['retry-after']]).toEqual([503, '1']);
    await app.close();
  });
});

describe('outside development', () => {
  let app: FastifyInstance;
  beforeAll(async () => {
    app = await createApp({ ...deps, logger });
    await app.ready();
  });
  afterAll(() => app.close());

  test('nobody is told at the root which platforms there are', async () => {
    const catalog = await app.inject('/.well-known/ai-catalog.json');
    expect([catalog.statusCode, catalog.json()]).toEqual([404, expect.objectContaining({ error: 'not_found' })]);
    const { body } = await app.inject('/llms.txt');
    expect([catalog.body, body].filter((text) => text.includes('health'))).toEqual([]);
    expect(body).toContain('https://auth.example/{platform}/llms.txt');
  });

  test('a resource that is elsewhere is described under the issuer, where the challenge says', async () => {
    const { status, headers } = await ask(app, eras['of before 2026-07-28'], 'get_webhook_status');
    const url = /resource_metadata="([^"]+)"/.exec(String(headers['www-authenticate']))?.[1] ?? '';
    expect([status, url]).toEqual([401, 'https://auth.example/health/.well-known/oauth-protected-resource']);
    expect((await app.inject(new URL(url).pathname)).json()).toMatchObject({
      resource: 'https://mcp.elsewhere.example/mcp',
      authorization_servers: ['https://auth.example/health'],
    });
  });
});
