import { specification } from '@grantlog/eventsourcing';
import { describe, expect, test } from 'vitest';
import {
  type AccountState,
  type ClientState,
  type GrantState,
  type PlatformState,
  type SessionEvent,
  type SessionStatus,
  sessionDecider,
  sessionStatus,
  standing,
} from '../src/index.ts';
import {
  activeGrant,
  authorizedGrant,
  denied,
  endedGrant,
  expired,
  linked,
  over,
  redeemed,
  revoked,
  start,
  started,
  wrongNumber,
} from './session-fixtures.ts';

const { replay } = specification(sessionDecider);
const none: GrantState = { status: 'none' };
const hour = 3_600_000;
const month = 30 * 24 * hour;

const statusOf = (events: readonly SessionEvent[], grant: GrantState, change: { readonly now?: number; readonly good?: boolean } = {}) =>
  sessionStatus({
    session: replay(events),
    grant,
    standing: (change.good ?? true) ? 'good' : 'client_disabled',
    now: change.now ?? start,
  });

describe('what an agent is told of its session', () => {
  test('is nothing of one that never began', () => {
    expect(statusOf([], none)).toBeNull();
  });

  test.each<[string, readonly SessionEvent[], GrantState, number, SessionStatus]>([
    ['pending until somebody answers', [started], none, over - 1, 'pending'],
    ['expired when nobody has, before anything was recorded', [started], none, over, 'expired'],
    ['expired when that was recorded', [started, expired], none, over, 'expired'],
    ['denied by the person', [started, denied], none, start, 'denied'],
    ['denied by a wrong number', [started, wrongNumber], none, start, 'denied'],
    ['denied for ever', [started, denied], none, over + month, 'denied'],
    ['complete once it is linked', [started, linked], authorizedGrant, over - 1, 'complete'],
    ['expired when it was not redeemed in time', [started, linked], authorizedGrant, over, 'expired'],
    ['complete while its tokens live', [started, linked, redeemed], activeGrant(null), start + hour - 1, 'complete'],
    ['expired when they have run out', [started, linked, redeemed], activeGrant(null), start + hour, 'expired'],
    ['complete while it can be refreshed', [started, linked, redeemed], activeGrant(86_400), start + 2 * hour, 'complete'],
    ['expired when it cannot', [started, linked, redeemed], activeGrant(86_400), start + 24 * hour, 'expired'],
    ['expired when its grant has', [started, linked, redeemed], endedGrant('expired'), start, 'expired'],
    ['revoked', [started, revoked], none, start, 'revoked'],
    ['revoked, though somebody left its grant alive', [started, linked, redeemed, revoked], activeGrant(null), start, 'revoked'],
    ['revoked with its refresh token', [started, linked, redeemed], endedGrant('token_revoked'), start, 'revoked'],
    ['revoked with a device code that came twice', [started, linked, redeemed], endedGrant('code_replayed'), start, 'revoked'],
    ['revoked where a link has no grant, which no commit makes', [started, linked], none, start, 'revoked'],
    [
      'revoked where the grant was denied, which no commit makes',
      [started, linked],
      { status: 'denied', firstPosition: 2 },
      start,
      'revoked',
    ],
  ])('is %s', (_, events, grant, now, status) => {
    expect(statusOf(events, grant, { now })).toBe(status);
  });

  test.each<[string, readonly SessionEvent[], GrantState]>([
    ['pending', [started], none],
    ['linked', [started, linked], authorizedGrant],
    ['redeemed', [started, linked, redeemed], activeGrant(86_400)],
  ])('is revoked of a %s session whose parties may not act', (_, events, grant) => {
    expect(statusOf(events, grant, { good: false })).toBe('revoked');
  });

  test('is what it ended as, whatever becomes of its parties', () => {
    expect(statusOf([started, denied], none, { good: false })).toBe('denied');
    expect(statusOf([started, expired], none, { good: false })).toBe('expired');
    expect(statusOf([started], none, { good: false, now: over })).toBe('expired');
  });
});

describe('a grant that a session’s consent opened', () => {
  const platform = { status: 'active', document: {}, firstPosition: 1, revokedBefore: 0 } as unknown as PlatformState;
  const client = { status: 'active', approval: 'approved', revokedBefore: 0 } as unknown as ClientState;
  const account = { status: 'active', revokedBefore: 0 } as unknown as AccountState;
  const parties = { firstPosition: 3, platform, client, account };

  test.each<[string, readonly SessionEvent[], string]>([
    ['linked', [started, linked], 'good'],
    ['redeemed', [started, linked, redeemed], 'good'],
    ['revoked', [started, linked, redeemed, revoked], 'session_ended'],
    ['expired', [started, linked, expired], 'session_ended'],
    ['denied', [started, denied], 'session_ended'],
    ['still pending', [started], 'session_ended'],
    ['one that never began', [], 'session_ended'],
  ])('stands as its session does, which is %s, even where that alone was recorded', (_, events, expected) => {
    expect(standing({ ...parties, session: replay(events) })).toBe(expected);
    expect(standing({ ...parties, firstPosition: null, session: replay(events) })).toBe(expected);
  });

  test('is told of wider ends first', () => {
    const session = replay([started, revoked]);
    expect(standing({ ...parties, session, client: { ...client, status: 'disabled', reason: 'abuse' } as ClientState })).toBe(
      'client_disabled',
    );
    expect(standing({ ...parties, session, account: { ...account, revokedBefore: 9 } as AccountState })).toBe('revoked_with_account');
  });

  test('of no session stands without one', () => {
    expect(standing(parties)).toBe('good');
    expect(standing({ ...parties, session: null })).toBe('good');
  });
});
