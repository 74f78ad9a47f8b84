import { describe, expect, test } from 'vitest';
import {
  authorizationServerMetadata,
  discoveryPaths,
  openidConfiguration,
  protectedResourceMetadata,
  protectedResourcePaths,
  resourceMetadataUrl,
} from '../src/index.ts';

const server = {
  issuer: 'https://as.example/acme',
  authorizationEndpoint: 'https://as.example/acme/oauth/authorize',
  tokenEndpoint: 'https://as.example/acme/oauth/token',
  registrationEndpoint: undefined,
  scopesSupported: ['openid'],
  responseTypesSupported: ['code'],
  grantTypesSupported: ['authorization_code'],
  tokenEndpointAuthMethodsSupported: ['none'],
  codeChallengeMethodsSupported: ['S256'],
  uiLocalesSupported: [],
};
const provider = {
  ...server,
  jwksUri: 'https://as.example/acme/jwks.json',
  userinfoEndpoint: 'https://as.example/acme/oauth/userinfo',
  subjectTypesSupported: ['public'],
  idTokenSigningAlgValuesSupported: ['RS256'],
};

describe('metadata', () => {
  test('of an authorization server leaves out what is absent or empty, never null (RFC 8414 §3.2)', () => {
    expect(authorizationServerMetadata(server)).toEqual({
      issuer: 'https://as.example/acme',
      authorization_endpoint: 'https://as.example/acme/oauth/authorize',
      token_endpoint: 'https://as.example/acme/oauth/token',
      scopes_supported: ['openid'],
      response_types_supported: ['code'],
      grant_types_supported: ['authorization_code'],
      token_endpoint_auth_methods_supported: ['none'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
    });
  });

  test('of OpenID contains the other document unchanged, and denies request_uri aloud (IR-10)', () => {
    const document = openidConfiguration(provider);
    expect(document).toMatchObject(authorizationServerMetadata(provider));
    expect(document).toMatchObject({
      code_challenge_methods_supported: ['S256'],
      request_uri_parameter_supported: false,
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    });
    expect(Object.values(document)).not.toContain(null);
    expect(Object.values(document)).not.toContain(undefined);
  });

  test('of a protected resource names its servers and accepts tokens in the header only', () => {
    expect(
      protectedResourceMetadata({ resource: 'https://mcp.example/acme/mcp', authorizationServers: [server.issuer], name: 'Acme' }),
    ).toEqual({
      resource: 'https://mcp.example/acme/mcp',
      authorization_servers: ['https://as.example/acme'],
      bearer_methods_supported: ['header'],
      resource_name: 'Acme',
    });
  });
});

describe('where clients look', () => {
  test('an issuer with a path has four places (IR-11)', () => {
    expect(discoveryPaths('https://as.example/t/acme').map((each) => `${each.document} ${each.path}`)).toEqual([
      'oauth-authorization-server /.well-known/oauth-authorization-server/t/acme',
      'openid-configuration /.well-known/openid-configuration/t/acme',
      'openid-configuration /t/acme/.well-known/openid-configuration',
      'oauth-authorization-server /t/acme/.well-known/oauth-authorization-server',
    ]);
  });

  test('an issuer without a path has two', () => {
    expect(discoveryPaths('https://acme.example').map((each) => each.path)).toEqual([
      '/.well-known/oauth-authorization-server',
      '/.well-known/openid-configuration',
    ]);
  });

  test('a resource has its own place and the root, and its challenge names the first', () => {
    expect(protectedResourcePaths('https://mcp.example/acme/mcp')).toEqual([
      '/.well-known/oauth-protected-resource/acme/mcp',
      '/.well-known/oauth-protected-resource',
    ]);
    expect(protectedResourcePaths('https://mcp.example/')).toEqual(['/.well-known/oauth-protected-resource']);
    expect(resourceMetadataUrl('https://mcp.example/acme/mcp')).toBe('https://mcp.example/.well-known/oauth-protected-resource/acme/mcp');
    expect(resourceMetadataUrl('https://mcp.example')).toBe('https://mcp.example/.well-known/oauth-protected-resource');
  });
});
