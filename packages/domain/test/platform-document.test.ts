import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePlatformDocument } from '../src/index.ts';
import { documentOf, smallest } from './documents.ts';

const problemsOf = (changes: object): readonly string[] => {
  const parsed = parsePlatformDocument({ ...smallest, ...changes });
  return parsed.ok ? [] : parsed.problems.map(({ path, problem }) => `${path} ${problem}`);
};
const pathsOf = (changes: object): readonly string[] => {
  const parsed = parsePlatformDocument({ ...smallest, ...changes });
  return parsed.ok ? [] : parsed.problems.map(({ path }) => path);
};

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
    },
    { uri: 'http://localhost:4000/along/mcp', name: 'Local', scopes: [], accessTokenFormat: 'opaque', upstream: null },
  ],
  lifetimes: {
    accessTokenSeconds: 600,
    refreshTokenSeconds: 86_400,
    codeSeconds: 60,
    signUpLinkSeconds: 900,
    grantMaxSeconds: 31_536_000,
    signInSeconds: 3600,
  },
  registration: { policy: ['open', 'approval', 'metadata_document', 'preset'] },
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
  ],
  pkce: 'public_clients',
  grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'],
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
      registration: { policy: ['preset'] },
      presetClients: [],
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

  test.each([
    'http://id.example',
    'https://id.example/',
    'https://id.example/path',
    'https://ID.example',
    'https://user@id.example',
    'https://id.example:443',
    'id.example',
    'ftp://id.example',
  ])('refuses the issuer %s', (issuer) => {
    expect(pathsOf({ issuer, hosts: ['id.example'] })).toEqual(['issuer']);
  });

  test.each([
    ['http://localhost:4000', 'localhost:4000'],
    ['http://127.0.0.1:4000', '127.0.0.1:4000'],
    ['http://[::1]:4000', '[::1]:4000'],
    ['https://id.example:8443', 'id.example:8443'],
  ])('takes the issuer %s', (issuer, host) => {
    expect(pathsOf({ issuer, hosts: [host] })).toEqual([]);
  });

  test.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'http://app.example/cb',
    'https://app.example/cb#x',
    'https://app.example/cb#',
    'https://u:p@app.example/cb',
    '/cb',
    'http://localhost.evil.example/cb',
    'http://127.0.0.1.evil.example/cb',
  ])('refuses the redirect URI %s of a preset client', (uri) => {
    expect(pathsOf({ presetClients: [{ clientId: 'x', name: 'X', redirectUris: [uri] }] })).toEqual(['presetClients[0].redirectUris[0]']);
  });

  test.each(['red', '#FFF', '#abcdeg', '#aabbcc;background:url(x)', 'url(x)'])('refuses the colour %s', (accentColor) => {
    expect(pathsOf({ branding: { accentColor } })).toEqual(['branding.accentColor']);
  });

  test.each(['a b', 'a"b', 'a\\b', '', 'ä', 'a\u0000'])('refuses the scope name %j', (name) => {
    expect(pathsOf({ scopes: [{ name, description: 'x' }] })).toEqual(['scopes[0].name']);
  });

  test.each(['a\u0000b', 'a\ud800b', 'a\nb'])('refuses text that Postgres or a page cannot carry: %j', (displayName) => {
    expect(pathsOf({ displayName })).toEqual(['displayName']);
  });

  test('holds 64 scopes, which is what a token mask has room for, and no more', () => {
    const scopes = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `s${index}`, description: 'x' }));
    expect(pathsOf({ scopes: scopes(64) })).toEqual([]);
    expect(pathsOf({ scopes: scopes(65) })).toEqual(['scopes']);
  });

  test.each<[string, object, readonly string[]]>([
    ['a scope twice', { scopes: [smallest.scopes[0], smallest.scopes[0]] }, ['scopes[1] repeats "openid"']],
    [
      'an implied scope that is not there',
      { scopes: [{ name: 'a', description: 'x', implies: ['b'] }] },
      ['scopes[0].implies[0] names the unknown scope "b"'],
    ],
    [
      'an unknown scope of a resource',
      { resources: [{ uri: 'https://api.example', name: 'API', scopes: ['nope'] }] },
      ['resources[0].scopes[0] names the unknown scope "nope"'],
    ],
    [
      'an algorithm for an opaque token',
      { resources: [{ uri: 'https://api.example', name: 'API', accessTokenAlg: 'ES256' }] },
      ['resources[0].accessTokenAlg says how to sign an opaque token'],
    ],
    [
      'an unknown role of administrators',
      { exploration: { administratorRole: 'chief' } },
      ['exploration.administratorRole names an unknown role'],
    ],
    ['refreshing without a code', { grantTypes: ['refresh_token'] }, ['grantTypes allows refreshing what cannot be granted']],
    [
      'offline access without its scope',
      { refresh: { requiresOfflineAccess: true } },
      ['refresh.requiresOfflineAccess needs a scope that is not defined'],
    ],
    ['a preset without a redirect URI', { presetClients: [{ clientId: 'x', name: 'X' }] }, ['presetClients[0].redirectUris is empty']],
    [
      'a preset of a grant type that the platform lacks, public at that',
      { presetClients: [{ clientId: 'x', name: 'X', grantTypes: ['client_credentials'] }] },
      [
        'presetClients[0].grantTypes uses "client_credentials", which the platform does not have',
        'presetClients[0].grantTypes lets a public client act by itself',
      ],
    ],
    [
      'presets where registration does not allow them',
      { registration: { policy: ['open'] }, presetClients: [{ clientId: 'x', name: 'X', redirectUris: ['https://x.example/cb'] }] },
      ['registration.policy does not allow the preset clients listed'],
    ],
  ])('refuses %s', (_, changes, expected) => {
    expect(problemsOf(changes)).toEqual(expected);
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
