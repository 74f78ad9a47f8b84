import { describe, expect, test } from 'vitest';
import { basicChallenge, bearerChallenge, bearerError, oauthErrorBody, readAccessToken, readBearerToken } from '../src/index.ts';

const resourceMetadata = 'https://mcp.example/.well-known/oauth-protected-resource/acme/mcp';

describe('a Bearer challenge', () => {
  test('is bare of errors where no credentials came (MC-20)', () => {
    expect(bearerChallenge({ scope: ['files:read'], resourceMetadata })).toBe(
      `Bearer scope="files:read", resource_metadata="${resourceMetadata}"`,
    );
  });

  test('names every scope of a step-up at once (MC-21)', () => {
    const error = bearerError({
      code: 'insufficient_scope',
      description: 'More access is needed',
      scope: ['a', 'b'],
      resourceMetadata,
      reason: 'r',
    });
    expect(error.status).toBe(403);
    expect(error.headers['www-authenticate']).toBe(
      `Bearer error="insufficient_scope", error_description="More access is needed", scope="a b", resource_metadata="${resourceMetadata}"`,
    );
    expect(oauthErrorBody(error).error).toBe('insufficient_scope');
  });

  test('can be read by the pattern that MCP clients use', () => {
    const pattern = /(resource_metadata|scope|error|error_description)=("[^"]+"|[^\s,]+)/g;
    const header = bearerChallenge({
      realm: 'arlo',
      error: 'invalid_token',
      errorDescription: 'It "expired" \\ ended',
      scope: ['a', 'b'],
      resourceMetadata,
    });
    expect(header.split(' ')[0]).toBe('Bearer');
    expect(header).not.toContain('\\');
    expect(Object.fromEntries([...header.matchAll(pattern)].map(([, name, value]) => [name, value]))).toEqual({
      error: '"invalid_token"',
      error_description: '"It ?expired? ? ended"',
      scope: '"a b"',
      resource_metadata: `"${resourceMetadata}"`,
    });
  });

  test('never splits the header, and says something', () => {
    expect(basicChallenge('a\r\nX: 1"')).toBe('Basic realm="a??X: 1?"');
    expect(basicChallenge('arlo', 'UTF-8')).toBe('Basic realm="arlo", charset="UTF-8"');
    expect(() => bearerChallenge({ scope: [] })).toThrow(TypeError);
  });
});

describe('a Bearer challenge in the dialect of the Arlo documents', () => {
  const compatibility = 'arlo';

  test('repeats the description as error_message, behind everything that RFC 6750 names', () => {
    expect(bearerChallenge({ realm: 'arlo', error: 'invalid_token', errorDescription: 'It ended', scope: ['read'], compatibility })).toBe(
      'Bearer realm="arlo", error="invalid_token", error_description="It ended", scope="read", error_message="It ended"',
    );
  });

  test('repeats the scope as scopes where it is what the token lacks', () => {
    expect(bearerChallenge({ error: 'insufficient_scope', scope: ['read', 'write'], compatibility })).toBe(
      'Bearer error="insufficient_scope", scope="read write", scopes="read write"',
    );
  });

  test('adds nothing where no credentials came', () => {
    expect(bearerChallenge({ realm: 'arlo', scope: ['read'], compatibility })).toBe(bearerChallenge({ realm: 'arlo', scope: ['read'] }));
  });

  test('alone knows expired_token, which is 401 either way', () => {
    const expired = { code: 'expired_token', description: 'It ended' } as const;
    const spoken = bearerError({ ...expired, compatibility });
    expect([spoken.status, spoken.code, spoken.headers['www-authenticate']]).toEqual([
      401,
      'expired_token',
      'Bearer error="expired_token", error_description="It ended", error_message="It ended"',
    ]);
    const plain = bearerError(expired);
    expect([plain.status, plain.code, plain.headers['www-authenticate']]).toEqual([
      401,
      'invalid_token',
      'Bearer error="invalid_token", error_description="It ended"',
    ]);
  });
});

describe('a challenge where proofs of possession play a part', () => {
  const algs = ['ES256', 'EdDSA'];
  const invalid = { realm: 'acme', error: 'invalid_token', errorDescription: 'No', scope: ['read'], resourceMetadata } as const;

  test('is of the scheme that the token was shown with, and names the algorithms', () => {
    expect(bearerChallenge({ ...invalid, dpop: { scheme: 'DPoP', algs } })).toBe(
      `DPoP realm="acme", error="invalid_token", error_description="No", scope="read", resource_metadata="${resourceMetadata}", algs="ES256 EdDSA"`,
    );
  });

  test('is followed by another where the token should have come with a proof', () => {
    expect(bearerChallenge({ ...invalid, dpop: { scheme: 'Bearer', algs } })).toBe(`${bearerChallenge(invalid)}, DPoP algs="ES256 EdDSA"`);
  });

  test('of a bad proof is 401, as at no token endpoint (RFC 9449 §7.1)', () => {
    const error = bearerError({ code: 'invalid_dpop_proof', description: 'No', dpop: { scheme: 'DPoP', algs } });
    expect([error.status, error.code, error.headers['www-authenticate']]).toEqual([
      401,
      'invalid_dpop_proof',
      'DPoP error="invalid_dpop_proof", error_description="No", algs="ES256 EdDSA"',
    ]);
  });
});

describe('reading an access token of either scheme', () => {
  test.each([
    [undefined, { kind: 'absent' }],
    ['Basic abc', { kind: 'absent' }],
    ['DPoPabc', { kind: 'absent' }],
    ['DPoP', { kind: 'malformed', scheme: 'DPoP' }],
    ['DPoP a, Bearer b', { kind: 'malformed', scheme: 'DPoP' }],
    ['Bearer a b', { kind: 'malformed', scheme: 'Bearer' }],
    ['Bearer abc', { kind: 'token', scheme: 'Bearer', token: 'abc' }],
    ['DPoP abc', { kind: 'token', scheme: 'DPoP', token: 'abc' }],
    ['dPoP  abc', { kind: 'token', scheme: 'DPoP', token: 'abc' }],
  ])('%j is %j', (header, expected) => {
    expect(readAccessToken(header)).toEqual(expected);
  });
});

describe('reading a Bearer token', () => {
  test.each([
    [undefined, { kind: 'absent' }],
    ['', { kind: 'absent' }],
    ['Basic abc', { kind: 'absent' }],
    ['Bearerabc', { kind: 'absent' }],
    ['Bearer', { kind: 'malformed' }],
    ['Bearer ', { kind: 'malformed' }],
    ['Bearer a b', { kind: 'malformed' }],
    ['Bearer a,b', { kind: 'malformed' }],
    ['Bearer é', { kind: 'malformed' }],
    ['Bearer =a', { kind: 'malformed' }],
    [`Bearer ${'x'.repeat(8_193)}`, { kind: 'malformed' }],
    ['Bearer a-._~+/b==', { kind: 'token', token: 'a-._~+/b==' }],
    ['bEARER  abc', { kind: 'token', token: 'abc' }],
  ])('%j is %j', (header, expected) => {
    expect(readBearerToken(header)).toEqual(expected);
  });
});
