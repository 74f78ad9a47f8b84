import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePlatformDocument } from '../src/index.ts';
import { documentOf, problemsOf, smallest } from './documents.ts';

const full = {
  name: 'along',
  displayName: 'Along',
  issuer: 'https://auth.along.example',
  hosts: ['auth.along.example', 'localhost:4000'],
  scopes: [
    { name: 'vault:read', description: 'Read', default: true, required: false, implies: [] },
    { name: 'vault:write', description: 'Write', default: false, required: false, implies: ['vault:read'] },
    { name: 'offline_access', description: 'Stay connected', default: false, required: false, implies: [] },
  ],
  resources: [
    {
      uri: 'https://api.along.example/mcp/v1',
      name: 'Vault',
      scopes: ['vault:read'],
      accessTokenFormat: 'jwt',
      accessTokenAlg: 'ES256',
      upstream: 'http://10.0.0.3:8080/mcp',
      perContext: true,
    },
    { uri: 'http://localhost:4000/along/mcp', name: 'Local', scopes: [], accessTokenFormat: 'opaque', upstream: null, perContext: false },
  ],
  lifetimes: {
    accessTokenSeconds: 600,
    refreshTokenSeconds: 86_400,
    codeSeconds: 60,
    signUpLinkSeconds: 900,
    grantMaxSeconds: 31_536_000,
    signInSeconds: 3600,
  },
  registration: {
    policy: ['open', 'approval', 'metadata_document', 'preset'],
    unusedClientDays: 30,
    metadataDocuments: { allow: ['claude.ai', '*.example.com'], deny: ['bad.example.com'], trusted: ['claude.ai'] },
  },
  consent: { remember: false },
  contexts: { noun: 'Safe', required: true },
  trustedIssuers: [
    { issuer: 'https://idp.example/t/1', jwksUri: 'https://idp.example/jwks', emailDomains: ['acme.example'], createAccounts: true },
  ],
  presetClients: [
    {
      clientId: 'cursor',
      name: 'Cursor',
      redirectUris: ['cursor://anysphere.cursor-mcp/oauth/callback', 'http://localhost/callback', 'http://127.0.0.1:33418/'],
      type: 'public',
      grantTypes: ['authorization_code', 'refresh_token'],
      scopes: ['vault:read'],
    },
    { clientId: 'robot', name: 'Robot', redirectUris: [], type: 'confidential', grantTypes: ['client_credentials'], scopes: null },
    {
      clientId: 'unidentified-agent',
      name: 'Unidentified agent',
      redirectUris: [],
      type: 'public',
      grantTypes: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
      scopes: null,
    },
  ],
  agentSignUp: { unidentifiedClient: 'unidentified-agent', intervalSeconds: 7, codeChallengeRequired: true },
  mcpServer: {
    resource: 'http://localhost:4000/along/mcp',
    name: 'ai.along/safe',
    version: '2.0.1',
    description: 'A safe that agents may open',
    publisher: { name: 'Along', url: 'https://along.example' },
  },
  pkce: 'public_clients',
  grantTypes: [
    'authorization_code',
    'refresh_token',
    'client_credentials',
    'urn:ietf:params:oauth:grant-type:device_code',
    'urn:ietf:params:oauth:grant-type:token-exchange',
    'urn:ietf:params:oauth:grant-type:jwt-bearer',
  ],
  tokens: { prefix: 'avo' },
  refresh: { retrySeconds: 0, retryLimit: 3, requiresOfflineAccess: true },
  idTokenAlg: 'EdDSA',
  roles: ['administrator', 'operator:along'],
  signIn: { registration: 'open', mfa: 'required' },
  exploration: { days: 7, requestsPerDay: 50, administratorRole: 'administrator' },
  branding: { displayName: 'Along Safe', accentColor: '#aa00ff', logoUrl: 'https://along.example/logo.svg' },
  webhooks: { allowLoopback: true },
  switches: {
    httpLoopbackRedirects: true,
    httpsRedirectsOnly: true,
    scopeParameterRequired: true,
    basicForExploration: true,
    arloChallenges: true,
    connectPaths: true,
  },
  documentation: 'https://docs.along.example/oauth',
};

describe('a platform document', () => {
  test('is complete after three members and the defaults of the design', () => {
    expect(documentOf({ name: 'arlo-health' })).toMatchObject({
      name: 'arlo-health',
      issuer: null,
      hosts: [],
      resources: [],
      lifetimes: {
        accessTokenSeconds: 3600,
        refreshTokenSeconds: 7_776_000,
        codeSeconds: 600,
        signUpLinkSeconds: 900,
        grantMaxSeconds: null,
        signInSeconds: 28_800,
      },
      registration: { policy: ['preset'], unusedClientDays: 7, metadataDocuments: { allow: [], deny: [], trusted: [] } },
      consent: { remember: true },
      contexts: null,
      trustedIssuers: [],
      presetClients: [],
      agentSignUp: null,
      mcpServer: null,
      pkce: 'required',
      grantTypes: ['authorization_code', 'refresh_token'],
      tokens: { prefix: 'arlohealth' },
      refresh: { retrySeconds: 60, retryLimit: 10, requiresOfflineAccess: false },
      idTokenAlg: 'RS256',
      roles: [],
      signIn: { registration: 'closed', mfa: 'optional' },
      exploration: { days: 30, requestsPerDay: 1000, administratorRole: null },
      branding: { displayName: 'Acme', accentColor: '#1f4f8f', logoUrl: null },
      webhooks: { allowLoopback: false },
      switches: {
        httpLoopbackRedirects: false,
        httpsRedirectsOnly: false,
        scopeParameterRequired: false,
        basicForExploration: false,
        arloChallenges: false,
        connectPaths: false,
      },
      documentation: null,
    });
    expect(documentOf().scopes[0]).toEqual({
      name: 'openid',
      description: 'Know who you are',
      default: false,
      required: true,
      implies: [],
    });
  });

  test('keeps every member that it states', () => {
    expect(parsePlatformDocument(full)).toEqual({ ok: true, document: full });
  });

  test('reads a JWT resource without an algorithm as EdDSA and a part of a group with the other defaults', () => {
    const { resources, lifetimes } = documentOf({
      resources: [{ uri: 'https://api.example/', name: 'API', accessTokenFormat: 'jwt' }],
      lifetimes: { accessTokenSeconds: 60 },
    });
    expect(resources[0]).toMatchObject({ accessTokenFormat: 'jwt', accessTokenAlg: 'EdDSA', upstream: null });
    expect(lifetimes).toMatchObject({ accessTokenSeconds: 60, codeSeconds: 600 });
  });

  test('is told everything that is wrong with it at once, structure and contradictions', () => {
    const parsed = parsePlatformDocument({
      displayName: '',
      scopes: [{ name: 'a b', description: 'x' }],
      issuer: 'https://id.example',
      hosts: ['other.example'],
      lifetimes: { codeSeconds: 601, hours: 1 },
      pkce: 'never',
      colour: 'red',
    });
    expect(parsed.ok ? [] : parsed.problems.map(({ path }) => path).sort()).toEqual(
      ['name', 'displayName', 'scopes[0].name', 'hosts', 'lifetimes.codeSeconds', 'lifetimes.hours', 'pkce', 'colour'].sort(),
    );
  });

  test('names the place, the problem and the fix', () => {
    const parsed = parsePlatformDocument({ ...smallest, pkce: 'never' });
    expect(parsed).toEqual({
      ok: false,
      problems: [{ path: 'pkce', problem: 'is not one of the known values', fix: 'Use "required" or "public_clients".' }],
    });
  });

  test.each([null, 7, 'text', [], undefined])('refuses %j instead of an object', (json) => {
    expect(parsePlatformDocument(json)).toMatchObject({ ok: false, problems: [{ path: 'document' }] });
  });

  test('refuses keys of the prototype chain, as unknown or as missing', () => {
    expect(parsePlatformDocument(JSON.parse('{"__proto__": {"name": "acme"}}'))).toMatchObject({ ok: false });
    expect(problemsOf(JSON.parse('{"__proto__": 1, "toString": 1}'))).toContain('toString is not a known key');
    const inherited = Object.create(smallest) as object;
    expect(parsePlatformDocument(inherited)).toMatchObject({
      ok: false,
      problems: [{ path: 'name' }, { path: 'displayName' }, { path: 'scopes' }],
    });
  });

  test('parses to itself once parsed, also through JSON', () => {
    const someOf = fc.subarray(Object.keys(full).filter((key) => !['name', 'displayName', 'scopes'].includes(key)));
    fc.assert(
      fc.property(someOf, (keys) => {
        const parsed = parsePlatformDocument({
          ...Object.fromEntries(Object.entries(full).filter(([key]) => keys.includes(key))),
          name: full.name,
          displayName: full.displayName,
          scopes: full.scopes,
        });
        fc.pre(parsed.ok);
        expect(parsePlatformDocument(JSON.parse(JSON.stringify(parsed.document)))).toEqual(parsed);
      }),
    );
  });

  test('answers any JSON at all with a document or a list of problems', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...Object.keys(full), 'x'), fc.jsonValue()), (json) => {
        const parsed = parsePlatformDocument(json);
        expect(parsed.ok || parsed.problems.length > 0).toBe(true);
      }),
    );
  });
});
