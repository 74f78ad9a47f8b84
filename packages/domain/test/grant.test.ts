import { specification } from '@grantlog/eventsourcing';
import { describe, expect, test } from 'vitest';
import { grantDecider } from '../src/grant/decider.ts';
import type { GrantEvent } from '../src/grant/events.ts';
import {
  authorized,
  code,
  issue,
  narrowing,
  type Redeem,
  type Refresh,
  redeem,
  redeemed,
  refresh,
  refreshed,
  retried,
  revoked,
  rules,
  seconds,
  start,
  terms,
  thief,
} from './grant-fixtures.ts';

const { given } = specification(grantDecider);

describe('redeeming a code', () => {
  test('issues the first pair', () => {
    given([authorized])
      .when(redeem())
      .expect({ events: [redeemed] });
  });

  test.each<[string, Partial<Redeem>, string]>([
    ['another client', { client: thief }, 'wrong_client'],
    ['another redirect URI', { redirectUri: 'https://agent.example/cb2' }, 'redirect_uri_mismatch'],
    ['no redirect URI though one was sent', { redirectUri: null }, 'redirect_uri_missing'],
    ['no verifier', { verifierDigest: null }, 'verifier_missing'],
    ['a wrong verifier', { verifierDigest: 'other' }, 'verifier_mismatch'],
    ['an expired code', { now: start + 600_000 }, 'code_expired'],
    ['a scope that was not granted', { narrowing: { scopes: ['admin'], resource: null } }, 'scope_not_granted'],
    ['a resource that was not granted', { narrowing: { scopes: null, resource: 'https://c.example/' } }, 'resource_not_granted'],
    ['no resource where several were granted', { narrowing: { scopes: null, resource: null } }, 'resource_ambiguous'],
    ['a party that may not act', { standing: 'client_disabled' }, 'not_standing'],
  ])('refuses %s and consumes nothing', (_, change, refusal) => {
    given([authorized])
      .when(redeem(change))
      .expect({ events: [], refusal: refusal as never });
  });

  test('refuses a verifier where no challenge was sent, so that PKCE cannot be downgraded', () => {
    const plain: GrantEvent = { type: 'grant.authorized', data: { ...terms, code: { ...code, codeChallenge: null }, issue: null } };
    given([plain]).when(redeem()).expect({ events: [], refusal: 'verifier_unexpected' });
  });

  test('refuses a code redeemed twice and revokes its grant, even after the code has expired', () => {
    const replayed: GrantEvent = { type: 'grant.code_replayed', data: { by: 'client', redeemedAt: start } };
    for (const now of [start + 1, start + 700_000]) {
      given([authorized, redeemed])
        .when(redeem({ now }))
        .expect({ events: [replayed, revoked('code_replayed')], refusal: 'code_replayed' });
    }
  });

  test('does not revoke when a second redemption fails its binding', () => {
    given([authorized, redeemed])
      .when(redeem({ verifierDigest: 'other' }))
      .expect({ events: [], refusal: 'verifier_mismatch' });
  });
});

describe('refreshing', () => {
  test('rotates the current token', () => {
    given([authorized, redeemed])
      .when(refresh(1, { now: start + 5_000 }))
      .expect({ events: [refreshed(2, start + 5_000)] });
  });

  test('takes the redirect URI of the code where one is sent', () => {
    given([authorized, redeemed])
      .when(refresh(1, { now: start + 5_000, redirectUri: code.redirectUri }))
      .expect({ events: [refreshed(2, start + 5_000)] });
  });

  test('answers a lost response with the same pair, and records that once', () => {
    const history = [authorized, redeemed, refreshed(2)];
    given(history)
      .when(refresh(1, { now: start + 60_000 }))
      .expect({ events: [retried(2)] });
    given([...history, retried(2)])
      .when(refresh(1, { now: start + 60_000 }))
      .expect({ events: [] });
  });

  test('revokes on the predecessor outside the window, and at once when the window is 0', () => {
    const reuse: GrantEvent = { type: 'grant.refresh_reused', data: { sequence: 1, current: 2 } };
    const history = [authorized, redeemed, refreshed(2)];
    const expected = { events: [reuse, revoked('refresh_reused')], refusal: 'refresh_reused' as const };
    given(history)
      .when(refresh(1, { now: start + 60_001 }))
      .expect(expected);
    given(history)
      .when(refresh(1, { now: start, retry: { retrySeconds: 0, retryLimit: 10 } }))
      .expect(expected);
  });

  test('revokes on a token from two generations ago, whatever the window', () => {
    given([authorized, redeemed, refreshed(2), refreshed(3)])
      .when(refresh(1))
      .expect({
        events: [{ type: 'grant.refresh_reused', data: { sequence: 1, current: 3 } }, revoked('refresh_reused')],
        refusal: 'refresh_reused',
      });
  });

  test('takes one retry too many in a row for reuse, and starts counting anew after a quiet rotation', () => {
    const limit = { retry: { retrySeconds: 60, retryLimit: 2 } };
    const twice = [authorized, redeemed, refreshed(2), retried(2), refreshed(3), retried(3), refreshed(4)];
    given(twice)
      .when(refresh(3, limit))
      .expect({
        events: [{ type: 'grant.refresh_reused', data: { sequence: 3, current: 4 } }, revoked('refresh_retried_too_often')],
        refusal: 'refresh_retried_too_often',
      });
    given([...twice, refreshed(5)])
      .when(refresh(4, limit))
      .expect({ events: [retried(5)] });
  });

  test.each<[string, number, Partial<Refresh>, string]>([
    ['another client', 2, { client: thief }, 'wrong_client'],
    ['another client with a spent token', 1, { client: thief, now: start + 120_000 }, 'wrong_client'],
    ['a sequence that was never issued', 3, {}, 'sequence_unknown'],
    ['an expired token', 2, { now: (seconds + 7_776_000) * 1000 }, 'refresh_expired'],
    ['a broader scope', 2, { narrowing: { scopes: ['read', 'admin'], resource: null } }, 'scope_not_granted'],
    ['another redirect URI', 2, { redirectUri: 'https://agent.example/cb2' }, 'redirect_uri_mismatch'],
    [
      'a spent token with another redirect URI',
      1,
      { redirectUri: 'https://agent.example/cb2', now: start + 120_000 },
      'redirect_uri_mismatch',
    ],
    ['a retry that asks for another resource', 1, { narrowing: { scopes: null, resource: 'https://b.example/mcp' } }, 'retry_differs'],
    ['a retry that asks for another scope', 1, { narrowing: { ...narrowing, scopes: ['read'] } }, 'retry_differs'],
    ['a retry while the clock stepped back', 1, { now: start - 1 }, 'clock_stepped_back'],
    ['a client that may not act', 2, { standing: 'account_disabled' }, 'not_standing'],
  ])('refuses %s and revokes nothing', (_, sequence, change, refusal) => {
    given([authorized, redeemed, refreshed(2)])
      .when(refresh(sequence, change))
      .expect({ events: [], refusal: refusal as never });
  });

  test('refuses a retry whose access token was revoked since, and revokes nothing', () => {
    given([
      authorized,
      redeemed,
      refreshed(2),
      { type: 'grant.access_token_revoked', data: { sequence: 2, accessExpiresAt: seconds + 3600 } },
    ])
      .when(refresh(1))
      .expect({ events: [], refusal: 'retry_of_revoked' });
  });

  test('gives no scope and no resource that was taken away since', () => {
    const allowed = { scopes: ['openid', 'read'], resources: ['https://a.example/mcp'] };
    const { events } = given([authorized, redeemed])
      .when(refresh(1, { narrowing: { ...narrowing, allowed } }))
      .decision();
    expect(events[0]).toMatchObject({ data: { issue: { scopes: [0, 1], resource: 0 } } });
    for (const [change, refusal] of [
      [{ scopes: ['write'], resource: 'https://a.example/mcp', allowed }, 'scope_not_granted'],
      [{ scopes: null, resource: 'https://b.example/mcp', allowed }, 'resource_not_granted'],
      [{ scopes: null, resource: 'https://a.example/mcp', allowed: { ...allowed, scopes: [] } }, 'scope_not_granted'],
    ] as const) {
      given([authorized, redeemed])
        .when(refresh(1, { narrowing: change }))
        .expect({ events: [], refusal });
    }
  });

  test('keeps retry and reuse of a predecessor whose successor came without a refresh token', () => {
    const last: GrantEvent = { type: 'grant.refreshed', data: { issue: issue(2, start, { refreshExpiresAt: null }) } };
    given([authorized, redeemed, last])
      .when(refresh(1))
      .expect({ events: [retried(2)] });
    given([authorized, redeemed, last])
      .when(refresh(1, { now: start + 61_000 }))
      .expect({
        events: [{ type: 'grant.refresh_reused', data: { sequence: 1, current: 2 } }, revoked('refresh_reused')],
        refusal: 'refresh_reused',
      });
    given([authorized, redeemed, last]).when(refresh(2)).expect({ events: [], refusal: 'sequence_unknown' });
  });

  test('issues nothing once the cap on the grant lies behind', () => {
    given([{ ...authorized, recordedAt: start }, redeemed])
      .when(refresh(1, { now: start + 200_000, rules: { ...rules, grantMaxSeconds: 100 } }))
      .expect({ events: [], refusal: 'refresh_expired' });
  });

  test('narrows the access token without narrowing the grant', () => {
    const { events } = given([authorized, redeemed])
      .when(refresh(1, { narrowing: { ...narrowing, scopes: ['write', 'read'] } }))
      .decision();
    expect(events[0]).toMatchObject({ data: { issue: { scopes: [1, 2] } } });
  });

  test('lets no refresh token outlive the cap of the grant', () => {
    const { events } = given([{ ...authorized, recordedAt: start }, redeemed])
      .when(refresh(1, { rules: { ...rules, grantMaxSeconds: 1000 } }))
      .decision();
    expect(events[0]).toMatchObject({ data: { issue: { refreshExpiresAt: seconds + 1000, accessExpiresAt: seconds + 1000 } } });
  });
});
