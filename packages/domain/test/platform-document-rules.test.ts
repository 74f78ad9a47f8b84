import { describe, expect, test } from 'vitest';
import { parsePlatformId, reservedPlatformNames } from '../src/index.ts';
import { pathsOf, problemsOf, smallest } from './documents.ts';

describe('a platform document', () => {
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

  test.each([...reservedPlatformNames].filter((name) => parsePlatformId(name) !== null))(
    'refuses the name %s, under which the server answers itself, and says why',
    (name) => {
      expect(problemsOf({ name })).toEqual([`name is reserved: /${name} is a path of the server itself`]);
      expect(pathsOf({ name: `${name}-1` })).toEqual([]);
    },
  );

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
});
