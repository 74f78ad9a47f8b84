import { describe, expect, test } from 'vitest';
import { documentOf, pathsOf, problemsOf } from './documents.ts';

const deviceCode = 'urn:ietf:params:oauth:grant-type:device_code';
const agent = { clientId: 'anybody', name: 'Anybody', grantTypes: [deviceCode, 'refresh_token'] };
const signUp = {
  grantTypes: ['authorization_code', 'refresh_token', deviceCode],
  presetClients: [agent],
  agentSignUp: { unidentifiedClient: 'anybody' },
};
const server = {
  resource: 'https://acme.example/mcp',
  name: 'example.acme/server',
  version: '1.0.0',
  description: 'Things',
  publisher: { name: 'Acme', url: 'https://acme.example' },
};
const withServer = (change: object = {}) => ({
  resources: [{ uri: server.resource, name: 'Acme for agents' }],
  mcpServer: { ...server, ...change },
});

describe('agent sign-up in a platform document', () => {
  test('is off unless it is asked for', () => {
    expect(documentOf()).toMatchObject({ agentSignUp: null, mcpServer: null });
    expect(documentOf({ agentSignUp: null, mcpServer: null })).toMatchObject({ agentSignUp: null, mcpServer: null });
  });

  test('polls every five seconds and needs no challenge unless the document says so', () => {
    expect(documentOf(signUp).agentSignUp).toEqual({ unidentifiedClient: 'anybody', intervalSeconds: 5, codeChallengeRequired: false });
    const strict = { unidentifiedClient: 'anybody', intervalSeconds: 10, codeChallengeRequired: true };
    expect(documentOf({ ...signUp, agentSignUp: strict }).agentSignUp).toEqual(strict);
  });

  test.each([0, 61, 1.5])('refuses an interval of %s seconds', (intervalSeconds) => {
    expect(pathsOf({ ...signUp, agentSignUp: { ...signUp.agentSignUp, intervalSeconds } })).toEqual(['agentSignUp.intervalSeconds']);
  });

  test('needs the grant type that redeems a session', () => {
    expect(problemsOf({ ...signUp, grantTypes: ['authorization_code', 'refresh_token'] })).toEqual([
      `presetClients[0].grantTypes uses "${deviceCode}", which the platform does not have`,
      'agentSignUp is redeemed by a grant type that the platform lacks',
    ]);
  });

  test.each([
    ['nobody', { presetClients: [] }],
    ['another client', { agentSignUp: { unidentifiedClient: 'somebody' } }],
    ['a confidential client', { presetClients: [{ ...agent, type: 'confidential' }] }],
    [
      'a client that may not redeem',
      { presetClients: [{ ...agent, grantTypes: ['authorization_code'], redirectUris: ['https://a.example/cb'] }] },
    ],
  ])('refuses %s as the unidentified client', (_, change) => {
    expect(problemsOf({ ...signUp, ...change })).toEqual([
      'agentSignUp.unidentifiedClient names no public preset client that may redeem a device code',
    ]);
  });

  test('lets a client refresh what it got by a device code alone, which needs no redirect URI', () => {
    expect(problemsOf({ grantTypes: [deviceCode, 'refresh_token'], presetClients: [agent] })).toEqual([]);
  });

  test.each(['javascript:alert(1)', '', 'a b'])('refuses the client id %j', (unidentifiedClient) => {
    expect(pathsOf({ ...signUp, agentSignUp: { unidentifiedClient } })).toContain('agentSignUp.unidentifiedClient');
  });
});

describe('the MCP server in a platform document', () => {
  test('is one of the resources, by the URI that tokens name', () => {
    expect(documentOf(withServer()).mcpServer).toEqual(server);
    expect(problemsOf({ mcpServer: server })).toEqual(['mcpServer.resource names an unknown resource']);
    expect(problemsOf(withServer({ resource: `${server.resource}/` }))).toEqual(['mcpServer.resource names an unknown resource']);
  });

  test.each<[string, object]>([
    ['name', { name: 'acme' }],
    ['name', { name: 'example.acme/one/two' }],
    ['name', { name: `example.acme/${'x'.repeat(200)}` }],
    ['version', { version: '^1.0.0' }],
    ['version', { version: '1.x || 2' }],
    ['version', { version: '' }],
    ['description', { description: 'x'.repeat(101) }],
    ['description', { description: '' }],
    ['publisher.url', { publisher: { name: 'Acme', url: 'javascript:alert(1)' } }],
    ['publisher.name', { publisher: { url: 'https://acme.example' } }],
  ])('refuses a %s that no card may have (%j)', (path, change) => {
    expect(pathsOf(withServer(change))).toEqual([`mcpServer.${path}`]);
  });

  test('takes what SEP-2127 allows', () => {
    for (const change of [{ name: 'a.b-c/D_e.f' }, { version: '2.0.1-beta.1+build' }, { description: 'x'.repeat(100) }])
      expect(pathsOf(withServer(change))).toEqual([]);
  });
});
