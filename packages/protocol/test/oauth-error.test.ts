import { describe, expect, test } from 'vitest';
import { OAuthError, oauthErrorBody } from '../src/index.ts';

describe('an OAuth error', () => {
  test.each([
    ['invalid_request', 400],
    ['invalid_client', 401],
    ['invalid_grant', 400],
    ['invalid_token', 401],
    ['insufficient_scope', 403],
    ['invalid_target', 400],
    ['server_error', 500],
    ['temporarily_unavailable', 503],
  ] as const)('%s has the status %i by default', (code, status) => {
    expect(new OAuthError(code, { description: 'x' }).status).toBe(status);
  });

  test('keeps the reason out of the body and in the message', () => {
    const error = new OAuthError('invalid_grant', { description: 'The code is not valid', reason: 'code of another client', cause: 'c' });
    expect(oauthErrorBody(error)).toEqual({ error: 'invalid_grant', error_description: 'The code is not valid' });
    expect(error.message).toBe('invalid_grant: code of another client');
    expect(error.cause).toBe('c');
  });

  test('never puts characters into a description that RFC 6749 §5.2 forbids', () => {
    expect(new OAuthError('invalid_request', { description: 'a"b\\c\r\ndé' }).description).toBe('a?b?c??d?');
  });
});
