import { describe, expect, test } from 'vitest';
import { basicChallenge, bearerChallenge, bearerError, oauthErrorBody, readBearerToken } from '../src/index.ts';

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
    expect(() => bearerChallenge({ scope: [] })).toThrow(TypeError);
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
