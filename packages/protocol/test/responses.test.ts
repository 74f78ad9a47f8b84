import { describe, expect, test } from 'vitest';
import {
  authorizationFailure,
  authorizationSuccess,
  OAuthError,
  ProblemError,
  problem,
  readMaxAge,
  readPrompt,
  tokenResponse,
} from '../src/index.ts';

const destination = { redirectUri: 'https://a/cb?x=1', state: 's 1', issuer: 'https://as.example/acme' };

describe('an authorization response', () => {
  test('carries code, state and iss (AZ-18)', () => {
    expect(authorizationSuccess({ ...destination, code: 'c' })).toBe(
      'https://a/cb?x=1&code=c&state=s+1&iss=https%3A%2F%2Fas.example%2Facme',
    );
    expect(authorizationSuccess({ ...destination, state: undefined, code: 'c' })).not.toContain('state');
  });

  test('carries iss on errors too, and no reason (AZ-19)', () => {
    const error = new OAuthError('access_denied', { description: 'The person said no', reason: 'secret thoughts' });
    const url = new URL(authorizationFailure({ ...destination, error }));
    expect(Object.fromEntries(url.searchParams)).toEqual({
      x: '1',
      error: 'access_denied',
      error_description: 'The person said no',
      state: 's 1',
      iss: 'https://as.example/acme',
    });
  });

  test.each(['invalid_client', 'invalid_redirect_uri', 'invalid_grant', 'invalid_token'] as const)('never redirects %s', (code) => {
    expect(() => authorizationFailure({ ...destination, error: new OAuthError(code, { description: 'x' }) })).toThrow(TypeError);
  });
});

describe('a token response', () => {
  test('always says scope and lifetime, and leaves out tokens that were not issued', () => {
    expect(tokenResponse({ accessToken: 'a', expiresIn: 12.9, scope: [] })).toEqual({
      access_token: 'a',
      token_type: 'Bearer',
      expires_in: 12,
      scope: '',
    });
    expect(
      tokenResponse({ accessToken: 'a', tokenType: 'DPoP', expiresIn: -1, scope: ['x', 'y'], refreshToken: 'r', idToken: 'i' }),
    ).toEqual({
      access_token: 'a',
      token_type: 'DPoP',
      expires_in: 0,
      refresh_token: 'r',
      id_token: 'i',
      scope: 'x y',
    });
  });
});

describe('prompt and max_age', () => {
  test.each([
    [undefined, { kind: 'interactive', steps: new Set() }],
    ['none', { kind: 'silent' }],
    ['login consent', { kind: 'interactive', steps: new Set(['login', 'consent']) }],
    ['select_account unheard_of', { kind: 'interactive', steps: new Set(['select_account']) }],
  ])('prompt %j is %j', (text, expected) => {
    expect(readPrompt(text)).toEqual(expected);
  });

  test.each(['none login', 'consent none'])('refuses prompt %j', (text) => {
    expect(() => readPrompt(text)).toThrow('invalid_request');
  });

  test.each([
    [undefined, undefined],
    ['0', 0],
    ['3600', 3_600],
  ])('max_age %j is %j', (text, expected) => {
    expect(readMaxAge(text)).toBe(expected);
  });

  test.each(['-1', '1.5', '1e3', ' 1', '', '0x1', '99999999999'])('refuses max_age %j', (text) => {
    expect(() => readMaxAge(text)).toThrow('invalid_request');
  });
});

describe('a problem', () => {
  test('leaves out what is absent, and its members cannot replace the standard ones (RFC 9457 §3.2)', () => {
    expect(problem({ status: 409, title: 'Conflict', members: { status: 200, current: 3 } })).toEqual({
      type: 'about:blank',
      title: 'Conflict',
      status: 409,
      current: 3,
    });
  });

  test('keeps its reason for the log', () => {
    const error = new ProblemError(problem({ status: 404, title: 'Not found', detail: 'No such client' }), {
      reason: 'of another platform',
    });
    expect(JSON.stringify(error.problem)).not.toContain('another platform');
    expect(error.message).toBe('404 Not found: of another platform');
  });
});
