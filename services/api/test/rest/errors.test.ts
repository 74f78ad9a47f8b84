import { expect, test } from 'vitest';
import { AgentError, type AgentErrorCode, agentErrors } from '../../src/agent/errors.ts';

test('gives each error one HTTP status, and a way out that names what to call', () => {
  const statuses: Record<AgentErrorCode, number> = {
    not_authenticated: 401,
    token_expired: 401,
    invalid_grant: 400,
    session_revoked: 401,
    invalid_request: 400,
    slow_down: 429,
    rate_limited: 429,
  };
  expect(Object.fromEntries(Object.entries(agentErrors).map(([code, { status }]) => [code, status]))).toEqual(statuses);
  expect(agentErrors.not_authenticated.resolution).toContain('init_signup');
  expect(agentErrors.token_expired.resolution).toContain('refresh_token');
  expect(agentErrors.invalid_grant.resolution).toContain('Re-authenticate');
  expect(agentErrors.session_revoked.resolution).toContain('re-authenticate');
});

test('says in a tool’s result what it says over REST, and nothing of what is for the log', () => {
  const error = new AgentError('slow_down', 'Ask at most every 5 seconds', { retryAfter: 5, reason: 'canary' });
  expect(error.headers).toEqual({ 'retry-after': '5' });
  expect(error.body).toEqual({
    error: 'slow_down',
    error_description: 'Ask at most every 5 seconds',
    resolution: agentErrors.slow_down.resolution,
    status: 429,
    retry_after: 5,
  });
});
