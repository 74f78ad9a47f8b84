import { matchRedirectUri, OAuthError } from '@grantlog/protocol';
import { describe, expect, test } from 'vitest';
import { readMetadataDocument } from '../../src/metadata-documents/read-metadata-document.ts';
import { realDocuments } from './support/real-documents.ts';

const url = 'https://robot.example/client';
const good = { client_id: url, client_name: 'Robot', redirect_uris: ['https://robot.example/cb'] };
const key = { kty: 'EC', crv: 'P-256', x: 'Zm9v', y: 'YmFy', kid: 'one' };
const read = (more: object) => readMetadataDocument({ ...good, ...more }, url);
const whyNot = (json: unknown): string => {
  try {
    readMetadataDocument(json, url);
  } catch (error) {
    if (error instanceof OAuthError) return error.description;
    throw error;
  }
  return 'read';
};

describe('a document of a client in the field', () => {
  test('of ChatGPT comes to both methods that it lists', () => {
    const { kind, settings } = readMetadataDocument(realDocuments.chatgpt, realDocuments.chatgpt.client_id);
    expect(kind).toBe('public');
    expect(settings).toMatchObject({
      name: 'ChatGPT',
      authMethods: ['none', 'private_key_jwt'],
      jwksUri: 'https://chatgpt.com/oauth/jwks.json',
      assertionAlg: 'RS256',
      applicationType: 'web',
      grantTypes: ['authorization_code', 'refresh_token'],
    });
  });

  test('of Claude comes to the grant types that servers have', () => {
    const { kind, settings } = readMetadataDocument(realDocuments.claude, realDocuments.claude.client_id);
    expect([kind, settings.authMethods]).toEqual(['public', ['none']]);
    expect(settings.grantTypes).toEqual(['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:jwt-bearer']);
  });

  test('of Claude Code is an app on this device, on any port', () => {
    const { settings } = readMetadataDocument(realDocuments.claudeCode, realDocuments.claudeCode.client_id);
    expect(settings.applicationType).toBe('native');
    for (const presented of ['http://localhost:3118/callback', 'http://127.0.0.1:61234/callback'])
      expect(settings.redirectUris.some((registered) => matchRedirectUri(registered, presented))).toBe(true);
    expect(settings.redirectUris.some((registered) => matchRedirectUri(registered, 'http://localhost:3118/other'))).toBe(false);
  });

  test('of VS Code may send answers to its site as well as to this device', () => {
    const { settings } = readMetadataDocument(realDocuments.vscode, realDocuments.vscode.client_id);
    expect(settings.applicationType).toBe('native');
    for (const presented of ['https://vscode.dev/redirect', 'http://127.0.0.1:50999/'])
      expect(settings.redirectUris.some((registered) => matchRedirectUri(registered, presented))).toBe(true);
  });
});

describe('a document', () => {
  test('that says little is a public client of the code grant that stays connected', () => {
    expect(read({})).toMatchObject({
      kind: 'public',
      scopes: null,
      settings: { authMethods: ['none'], grantTypes: ['authorization_code', 'refresh_token'], roles: [], serves: [], dpopRequired: false },
    });
  });

  test.each([
    [{ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key] } }, 'confidential', ['private_key_jwt']],
    [{ jwks_uri: 'https://robot.example/keys' }, 'confidential', ['private_key_jwt']],
    [{ token_endpoint_auth_methods_supported: ['tls_client_auth', 'none'] }, 'public', ['none']],
    [{ token_endpoint_auth_method: 'none', jwks: { keys: [key] } }, 'public', ['none']],
    [{ token_endpoint_auth_methods_supported: ['private_key_jwt', 'none'] }, 'public', ['none']],
  ] as const)('with %j is %s and proves itself by %j', (more, kind, authMethods) => {
    expect(read(more)).toMatchObject({ kind, settings: { authMethods } });
  });

  test('never lets a client act for itself', () => {
    const grantTypes = ['authorization_code', 'client_credentials', 'password', 'implicit'];
    expect(read({ grant_types: grantTypes }).settings.grantTypes).toEqual(['authorization_code']);
  });

  test.each([
    ['a client_id that is another URL (MC-11)', { ...good, client_id: 'https://robot.example/other' }, 'not the URL at which it was found'],
    ['a client_id with its default port (MC-11)', { ...good, client_id: 'https://robot.example:443/client' }, 'not the URL'],
    ['a client_id in other case (MC-11)', { ...good, client_id: 'https://ROBOT.example/client' }, 'not the URL'],
    ['no client_id', { ...good, client_id: undefined }, 'not the URL'],
    ['no name', { ...good, client_name: undefined }, 'no client_name'],
    ['a name of nothing visible', { ...good, client_name: ' \u200b ' }, 'no client_name'],
    ['no redirect URIs', { ...good, redirect_uris: [] }, 'no redirect_uris'],
    ['a redirect URI of a script', { ...good, redirect_uris: ['javascript:alert(1)'] }, 'is refused because'],
    ['a secret (MC-12)', { ...good, client_secret: 'hush' }, 'contains client_secret,'],
    ['an end of a secret (MC-12)', { ...good, client_secret_expires_at: 0 }, 'contains client_secret_expires_at'],
    ['a method with a secret (MC-12)', { ...good, token_endpoint_auth_method: 'client_secret_basic' }, 'a method with a secret'],
    [
      'a method with a secret beside another (MC-12)',
      { ...good, token_endpoint_auth_method: 'client_secret_jwt', token_endpoint_auth_methods_supported: ['none'] },
      'a method with a secret',
    ],
    ['a private key (MC-12)', { ...good, jwks: { keys: [{ ...key, d: 'aHVzaA' }] } }, 'private or secret key'],
    ['a symmetric key (MC-12)', { ...good, jwks: { keys: [{ kty: 'oct', k: 'aHVzaA' }] } }, 'private or secret key'],
    ['keys twice', { ...good, jwks: { keys: [key] }, jwks_uri: 'https://robot.example/keys' }, 'exclude each other'],
    ['assertions without keys', { ...good, token_endpoint_auth_method: 'private_key_jwt' }, 'neither jwks nor jwks_uri'],
    ['methods that nobody has', { ...good, token_endpoint_auth_method: 'tls_client_auth' }, 'must be none or private_key_jwt'],
    ['no code grant', { ...good, grant_types: ['client_credentials'] }, 'must contain authorization_code'],
    ['another response type', { ...good, response_types: ['token'] }, 'must contain code'],
    ['a list', [good], 'JSON object'],
    ['nothing', null, 'JSON object'],
  ])('with %s is refused', (_, json, why) => {
    const told = whyNot(json);
    expect(told).toContain(why);
    for (const secret of ['hush', 'aHVzaA']) expect(told).not.toContain(secret);
  });
});
