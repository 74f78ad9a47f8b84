import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as oauth from 'oauth4webapi';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findExampleApi } from '../src/demo/example-api.ts';
import { whatToAsk } from '../src/demo/what-to-ask.ts';

type Answer = { readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> };

/** Answers by path on loopback, and tells what it was asked with. */
const serve = async (answers: (path: string, base: string) => Answer) => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization ?? 'nobody'}`);
    const { status, body, headers } = answers(request.url ?? '', base);
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo; // it listens on TCP
  const base = `http://127.0.0.1:${port}`;
  return { base, asked };
};
const insecure = { [oauth.allowInsecureRequests]: true };

describe('what the demo asks for', () => {
  const ask = async (platform: { readonly scopes: readonly string[]; readonly resources: Readonly<Record<string, readonly string[]>> }) => {
    const { base } = await serve((path, origin) => {
      const name = path.replace('/.well-known/oauth-protected-resource', '');
      const body = { resource: `${origin}${name}`, scopes_supported: platform.resources[name] };
      return { status: 200, body: JSON.stringify(body) };
    });
    const server: oauth.AuthorizationServer = {
      issuer: base,
      scopes_supported: [...platform.scopes],
      protected_resources: Object.keys(platform.resources).map((path) => `${base}${path}`),
    };
    const { resource, scope } = await whatToAsk(server, insecure);
    return [resource.replace(base, ''), scope];
  };

  test('is to know the person, to stay, and to read the platform’s API: nothing that people manage at the server itself', async () => {
    const resources = { '/api': ['read', 'write', 'all_claims'], '/developer': ['developer'], '/account': ['account'] };
    const scopes = ['openid', 'profile', 'offline_access', 'read', 'write', 'all_claims', 'developer', 'account'];
    expect(await ask({ scopes, resources })).toEqual(['/api', 'openid profile offline_access read']);
  });

  test('is by the API’s own names for reading, and what it has where it names none', async () => {
    expect(await ask({ scopes: ['vault:read'], resources: { '/mcp/v1': ['vault:read', 'vault:write'] } })).toEqual([
      '/mcp/v1',
      'vault:read',
    ]);
    expect(await ask({ scopes: ['openid', 'spread'], resources: { '/api': ['spread', 'rake'] } })).toEqual(['/api', 'openid spread rake']);
  });

  test('is nothing at a platform without an API, and the demo says so', async () => {
    await expect(ask({ scopes: ['account'], resources: {} })).rejects.toThrow('names no protected resource');
  });
});

describe('the example API in the demo', () => {
  const answersWith = (status: number, body: string, headers: Readonly<Record<string, string>> = {}) =>
    serve((path) => (path === '/api/' ? { status: 200, body: '{}' } : { status, body, headers }));

  test('is called with the token, and its answer becomes one line of bounded length', async () => {
    const { base, asked } = await answersWith(200, `{\n  "events": [\n    "${'x'.repeat(300)}"\n  ]\n}`);
    const api = await findExampleApi(`${base}/api`, insecure);
    const answer = await api?.call('the-token');
    expect(asked).toEqual(['/api/ nobody', '/api/events/ Bearer the-token']);
    expect(answer).toMatchObject({ kind: 'served', status: 200, summary: expect.stringMatching(/^\{ "events": \[ "x+…$/) });
    expect(answer?.kind === 'served' && answer.summary.length).toBe(161);
  });

  test('that refuses the token is told by its challenge', async () => {
    const header = 'Bearer realm="arlo", error="invalid_token", Basic realm="arlo"';
    const { base } = await answersWith(401, '{}', { 'www-authenticate': header });
    const api = await findExampleApi(`${base}/api`, insecure);
    expect(await api?.call('dead')).toEqual({ kind: 'challenged', status: 401, header, error: 'invalid_token' });
  });

  test('that is an MCP server is asked for its tools', async () => {
    const { base, asked } = await serve((path) =>
      path === '/mcp/' ? { status: 404, body: '{}' } : { status: 200, body: '{"result":{}}' },
    );
    const api = await findExampleApi(`${base}/mcp`, insecure);
    expect(api?.request).toBe(`POST ${base}/mcp tools/list (MCP)`);
    expect(await api?.call('the-token')).toEqual({ kind: 'served', status: 200, summary: '{"result":{}}' });
    expect(asked).toEqual(['/mcp/ nobody', '/mcp Bearer the-token']);
  });

  test.each([502, 504])('is left out where nobody runs behind it (%i), or the platform has none', async (status) => {
    const { base } = await serve(() => ({ status, body: '{}' }));
    expect(await findExampleApi(`${base}/api`, insecure)).toBeNull();
    expect(await findExampleApi(undefined, insecure)).toBeNull();
  });
});
