import type { StreamId } from '@grantlog/eventsourcing';
import { specification } from '@grantlog/eventsourcing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { grantDecider, isAccessLive } from '../src/grant/decider.ts';
import type { GrantEvent } from '../src/grant/events.ts';
import { authorized, client, code, redeem, redeemed, refresh, refreshed, retried, seconds, start, terms, thief } from './grant-fixtures.ts';

const { given, replay } = specification(grantDecider);

describe('the folded grant', () => {
  test('has after 10,000 refreshes, retries and revoked access tokens the size that it had after ten', () => {
    const use = (from: number, to: number): GrantEvent[] =>
      Array.from({ length: to - from }, (_, offset): GrantEvent[] => {
        const sequence = from + offset;
        const at = start + sequence * 60_000;
        return [
          refreshed(sequence, at),
          retried(sequence),
          { type: 'grant.access_token_revoked', data: { sequence, accessExpiresAt: Math.floor(at / 1000) + 3600 } },
        ];
      }).flat();
    const withTime = (events: GrantEvent[]) =>
      events.map((event) => ({ ...event, recordedAt: event.type === 'grant.refreshed' ? event.data.issue.issuedAt : start }));
    const size = (events: GrantEvent[]): number => JSON.stringify(replay(withTime([authorized, redeemed, ...events]))).length;
    const hundred = size(use(2, 102));
    expect(size(use(2, 10_002))).toBeLessThan(hundred + 400);
  });

  test('revoking more access tokens than it remembers keeps every one of them dead', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 150 }), (sequences) => {
        const issued = Array.from({ length: 199 }, (_, index) => refreshed(index + 2));
        const state = replay([
          authorized,
          redeemed,
          ...issued,
          ...sequences.map(
            (sequence): GrantEvent => ({ type: 'grant.access_token_revoked', data: { sequence, accessExpiresAt: seconds + 3600 } }),
          ),
        ]);
        for (const sequence of sequences) expect(isAccessLive(state, { sequence, expiresAt: seconds + 3600, now: start })).toBe(false);
      }),
      { numRuns: 50 },
    );
  });

  test('says of every access token up to the current sequence that it lives until its expiry', () => {
    const state = replay([authorized, redeemed, refreshed(2), refreshed(3)]);
    for (const sequence of [1, 2, 3]) {
      expect(isAccessLive(state, { sequence, expiresAt: seconds + 3600, now: start })).toBe(true);
      expect(isAccessLive(state, { sequence, expiresAt: seconds + 3600, now: (seconds + 3600) * 1000 })).toBe(false);
    }
    expect(isAccessLive(state, { sequence: 4, expiresAt: seconds + 3600, now: start })).toBe(false);
    expect(isAccessLive(state, { sequence: 0, expiresAt: seconds + 3600, now: start })).toBe(false);
  });
});

describe('revoking', () => {
  const presented = (sequence: number) => ({ sequence, expiresAt: seconds + 3600 });

  test('ends the grant by any refresh token of it, even a spent one', () => {
    for (const sequence of [1, 2]) {
      given([authorized, redeemed, refreshed(2)])
        .when({ type: 'revoke_by_token', client, presented: presented(sequence) })
        .expect({ events: [{ type: 'grant.revoked', data: { reason: 'token_revoked', by: client } }] });
    }
  });

  test('ends nothing for another client', () => {
    given([authorized, redeemed])
      .when({ type: 'revoke_by_token', client: thief, presented: presented(1) })
      .expect({ events: [], refusal: 'wrong_client' });
    given([authorized, redeemed])
      .when({ type: 'revoke_access_token', client: thief, now: start, presented: presented(1) })
      .expect({ events: [], refusal: 'wrong_client' });
  });

  test('ends one access token alone', () => {
    given([authorized, redeemed, refreshed(2)])
      .when({ type: 'revoke_access_token', client, now: start, presented: presented(1) })
      .expect({ events: [{ type: 'grant.access_token_revoked', data: { sequence: 1, accessExpiresAt: seconds + 3600 } }] });
  });

  test('decides a grant once', () => {
    given([authorized]).when({ type: 'authorize', terms, code, context: null }).expect({ events: [], refusal: 'already_decided' });
    const { tokenNonce, ...denial } = terms;
    expect(tokenNonce).toBe('nonce');
    given([authorized]).when({ type: 'deny', terms: denial }).expect({ events: [], refusal: 'already_decided' });
  });

  test('expires a grant only when nothing of it can be used', () => {
    given([authorized, redeemed]).when({ type: 'expire', now: start }).expect({ events: [], refusal: 'not_expired' });
    const late = (seconds + 7_776_000) * 1000;
    given([authorized, redeemed])
      .when({ type: 'expire', now: late })
      .expect({ events: [{ type: 'grant.expired', data: { at: late } }] });
  });
});

test('refuses every command on a stream that holds no grant', () => {
  const by = 'nobody' as StreamId;
  for (const command of [redeem(), refresh(1), { type: 'revoke', reason: 'by_operator', by } as const]) {
    given([]).when(command).expect({ events: [], refusal: 'unknown_grant' });
  }
});
