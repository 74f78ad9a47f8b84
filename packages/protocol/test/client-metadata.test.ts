import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applicationTypeOf, type ClientMetadata, OAuthError, readClientMetadata } from '../src/index.ts';

const silent: ClientMetadata = {
  clientId: null,
  redirectUris: null,
  tokenEndpointAuthMethod: null,
  tokenEndpointAuthMethodsSupported: null,
  tokenEndpointAuthSigningAlg: null,
  grantTypes: null,
  responseTypes: null,
  applicationType: null,
  clientName: null,
  clientUri: null,
  logoUri: null,
  tosUri: null,
  policyUri: null,
  scopes: null,
  jwks: null,
  jwksUri: null,
  softwareId: null,
  softwareVersion: null,
  idTokenSignedResponseAlg: null,
  postLogoutRedirectUris: null,
  backchannelLogoutUri: null,
  backchannelLogoutSessionRequired: null,
  dpopBoundAccessTokens: null,
  requirePushedAuthorizationRequests: null,
};

const refusalOf = (json: unknown): OAuthError => {
  try {
    readClientMetadata(json);
  } catch (error) {
    if (error instanceof OAuthError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

describe('reading the metadata of a client', () => {
  test('knows the vocabulary of RFC 7591 and what came after it', () => {
    expect(
      readClientMetadata({
        client_id: 'https://a.example/client.json',
        redirect_uris: ['https://a.example/cb', 'http://localhost:8787/cb', 'cursor://anysphere.cursor-mcp/oauth/callback'],
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
        token_endpoint_auth_signing_alg: 'RS256',
        grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
        response_types: ['code'],
        application_type: 'native',
        client_name: 'An app',
        client_uri: 'https://a.example/',
        logo_uri: 'https://a.example/logo.png',
        tos_uri: 'https://a.example/tos',
        policy_uri: 'http://a.example/policy',
        scope: 'vault:read  vault:write',
        jwks_uri: 'https://a.example/jwks.json',
        software_id: '2e6dc280-f3c3-4e01-99a7-8181dbd1d23d',
        software_version: '0.1.38',
        id_token_signed_response_alg: 'ES256',
        post_logout_redirect_uris: ['https://a.example/bye'],
        backchannel_logout_uri: 'https://a.example/logout',
        backchannel_logout_session_required: true,
        dpop_bound_access_tokens: true,
        require_pushed_authorization_requests: false,
      }),
    ).toEqual({
      clientId: 'https://a.example/client.json',
      redirectUris: ['https://a.example/cb', 'http://localhost:8787/cb', 'cursor://anysphere.cursor-mcp/oauth/callback'],
      tokenEndpointAuthMethod: 'private_key_jwt',
      tokenEndpointAuthMethodsSupported: ['none', 'private_key_jwt'],
      tokenEndpointAuthSigningAlg: 'RS256',
      grantTypes: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
      responseTypes: ['code'],
      applicationType: 'native',
      clientName: 'An app',
      clientUri: 'https://a.example/',
      logoUri: 'https://a.example/logo.png',
      tosUri: 'https://a.example/tos',
      policyUri: 'http://a.example/policy',
      scopes: ['vault:read', 'vault:write'],
      jwks: null,
      jwksUri: 'https://a.example/jwks.json',
      softwareId: '2e6dc280-f3c3-4e01-99a7-8181dbd1d23d',
      softwareVersion: '0.1.38',
      idTokenSignedResponseAlg: 'ES256',
      postLogoutRedirectUris: ['https://a.example/bye'],
      backchannelLogoutUri: 'https://a.example/logout',
      backchannelLogoutSessionRequired: true,
      dpopBoundAccessTokens: true,
      requirePushedAuthorizationRequests: false,
    } satisfies ClientMetadata);
  });

  test('takes null and empty texts for absent, and ignores what it does not know', () => {
    const json = {
      client_uri: '',
      logo_uri: '',
      scope: '',
      jwks: null,
      client_name: null,
      contacts: ['a@example.com'],
      software_statement: 'e30.e30.',
      'client_name#ja-Jpan-JP': '名',
      made_up: { deeply: true },
    };
    expect(readClientMetadata(json)).toEqual(silent);
    expect(readClientMetadata({})).toEqual(silent);
  });

  test('lists a repeated redirect URI once, in the order sent', () => {
    const uris = ['https://b.example/cb', 'https://a.example/cb', 'https://b.example/cb'];
    expect(readClientMetadata({ redirect_uris: uris }).redirectUris).toEqual(['https://b.example/cb', 'https://a.example/cb']);
  });

  test.each(['javascript:alert(1)', 'data:text/html,x', 'vbscript:x', 'file:///etc/passwd', 'blob:https://a.example/1', 'about:blank'])(
    'refuses the redirect URI %s by the name of its scheme',
    (uri) => {
      const refusal = refusalOf({ redirect_uris: ['https://a.example/cb', uri] });
      expect([refusal.code, refusal.status]).toEqual(['invalid_redirect_uri', 400]);
      expect(refusal.description).toContain(`the scheme ${uri.split(':')[0]} is not allowed`);
    },
  );

  test.each([
    ['https://a.example/cb#top', 'it has a fragment'],
    ['http://a.example/cb', 'http is only allowed on 127.0.0.1, [::1] and localhost'],
    ['https://*.a.example/cb', 'its host must be written plainly'],
    ['', 'it is not an absolute URI'],
  ])('refuses the redirect URI %j in words', (uri, why) => {
    expect(refusalOf({ redirect_uris: [uri] })).toMatchObject({ code: 'invalid_redirect_uri', description: expect.stringContaining(why) });
  });

  test.each(['https://a.example/cb?code=s3cret', 'https://a:s3cret@a.example/cb', 'https://a.example/cb#s3cret'])(
    'names the refused %s by no part that may be secret, and logs none of it',
    (uri) => {
      const { message, description } = refusalOf({ redirect_uris: [uri] });
      expect(description).toContain('redirect_uris contains https://a.example/cb, which is refused');
      expect(message).not.toContain('a.example');
      expect(message + description).not.toContain('s3cret');
    },
  );

  test.each([
    [null, 'JSON object'],
    [[], 'JSON object'],
    ['{}', 'JSON object'],
    [{ redirect_uris: 'https://a.example/cb' }, 'redirect_uris must be a list of strings'],
    [{ redirect_uris: [{}] }, 'redirect_uris contains a value that must be a string'],
    [{ redirect_uris: Array.from({ length: 51 }, (_, n) => `https://a.example/${n}`) }, 'redirect_uris has more than 50 values'],
    [{ client_name: 7 }, 'client_name must be a string'],
    [{ client_name: 'a\0b' }, 'client_name contains characters that are not allowed'],
    [{ client_name: '\ud800' }, 'client_name contains characters that are not allowed'],
    [{ scope: 'read "write"' }, 'scope contains characters that are not allowed'],
    [{ scope: ['read'] }, 'scope must be a string'],
    [{ application_type: 'spa' }, 'application_type must be web or native'],
    [{ client_uri: 'javascript:alert(1)' }, 'client_uri must be an absolute https URL'],
    [{ tos_uri: 'not a url' }, 'tos_uri must be an absolute https URL'],
    [{ logo_uri: 'https://a@b.example/x' }, 'logo_uri must be an absolute https URL'],
    [{ jwks_uri: 'http://a.example/jwks' }, 'jwks_uri must be https'],
    [{ jwks_uri: 'https://a.example/jwks', jwks: { keys: [{ kty: 'OKP' }] } }, 'jwks and jwks_uri exclude each other'],
    [{ backchannel_logout_uri: 'http://a.example/out' }, 'backchannel_logout_uri must be https'],
    [{ post_logout_redirect_uris: ['javascript:x'] }, 'post_logout_redirect_uris contains javascript:x'],
    [{ dpop_bound_access_tokens: 'true' }, 'dpop_bound_access_tokens must be true or false'],
  ])('refuses %j as metadata, naming the member', (json, words) => {
    expect(refusalOf(json)).toMatchObject({ code: 'invalid_client_metadata', status: 400, description: expect.stringContaining(words) });
  });

  test('makes one short line of a name, without what turns or hides text', () => {
    const nameOf = (name: string) => readClientMetadata({ client_name: name }).clientName;
    expect(nameOf(' Claude\u202e edoC \n\t by\u200b  nobody ')).toBe('Claude edoC by nobody');
    expect(nameOf('🐙'.repeat(300))).toBe('🐙'.repeat(100));
    expect(nameOf('\u200b \u2066')).toBeNull();
    // A filler of Hangul, a blank of Braille, a joiner of marks, a tag, a character of nobody's.
    expect(nameOf('\u3164\u2800 \u034f\u{e0041}\ue000')).toBeNull();
    expect(nameOf(`Bank${'\u2800'.repeat(40)}of you`)).toBe('Bankof you');
    expect(nameOf(`Z${'\u0300'.repeat(40)}algo`)).toBe(`Z${'\u0300'.repeat(4)}algo`);
    expect(nameOf('Büro — クライアント')).toBe('Büro — クライアント');
  });

  test('never fails otherwise than by a refusal in printable ASCII, whatever is sent', () => {
    fc.assert(
      fc.property(
        fc.object({ key: fc.constantFrom('redirect_uris', 'client_name', 'jwks', 'scope', 'keys', 'client_uri', 'x') }),
        (json) => {
          try {
            readClientMetadata(json);
          } catch (error) {
            expect(error).toBeInstanceOf(OAuthError);
            expect((error as OAuthError).description).toMatch(/^[\x20-\x7e]+$/);
          }
        },
      ),
    );
  });
});

describe('the keys of a client', () => {
  const publicKey = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'one', alg: 'ES256', use: 'sig' };

  test('are kept by their public members alone', () => {
    const key = { ...publicKey, x5c: ['MIIB'], key_ops: ['verify'], iat: 7 };
    expect(readClientMetadata({ jwks: { keys: [key], extra: true } }).jwks).toEqual({ keys: [publicKey] });
  });

  test.each(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])(
    'MC-12: are refused with the private member %s, whose value is not repeated',
    (member) => {
      const refusal = refusalOf({ jwks: { keys: [{ ...publicKey, [member]: 'the-secret-itself' }] } });
      expect(refusal).toMatchObject({ code: 'invalid_client_metadata', description: expect.stringContaining(`member ${member}`) });
      expect(refusal.message + refusal.description).not.toContain('the-secret-itself');
    },
  );

  test.each([
    ['text', 'a list of keys'],
    [{}, 'a list of keys'],
    [{ keys: [] }, 'no keys'],
    [{ keys: ['x'] }, 'must hold objects'],
    [{ keys: [{ crv: 'P-256' }] }, 'without kty'],
    [{ keys: [{ kty: 'EC', x: 7 }] }, 'whose x'],
    [{ keys: Array.from({ length: 21 }, () => publicKey) }, 'more than 20 keys'],
  ])('are refused as %j', (jwks, words) => {
    expect(refusalOf({ jwks })).toMatchObject({ code: 'invalid_client_metadata', description: expect.stringContaining(words) });
  });
});

describe('the application type', () => {
  test.each([
    [['https://a.example/cb'], 'web'],
    [['https://a.example/cb', 'http://localhost/cb'], 'native'],
    [['http://127.0.0.1:1455/callback'], 'native'],
    [['cursor://anysphere.cursor-mcp/oauth/callback'], 'native'],
    [[], 'web'],
  ] as const)('is read off the redirect URIs %j where the client does not say', (redirectUris, type) => {
    expect(applicationTypeOf({ applicationType: null, redirectUris })).toBe(type);
  });

  test('is what the client says, where it says', () => {
    expect(applicationTypeOf({ applicationType: 'web', redirectUris: ['http://localhost/cb'] })).toBe('web');
    expect(applicationTypeOf({ applicationType: 'native', redirectUris: ['https://a.example/cb'] })).toBe('native');
  });
});
