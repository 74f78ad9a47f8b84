import { specification } from '@grantlog/eventsourcing';
import { describe, expect, test } from 'vitest';
import { type GrantEvent, grantDecider } from '../src/index.ts';
import { authorized, code, issue, redeem, redeemed, refresh, start, terms } from './grant-fixtures.ts';

const { given, replay } = specification(grantDecider);
const chosen = (context: string): GrantEvent => ({ type: 'grant.context_selected', data: { context } });
const bound = (sequence: number): GrantEvent =>
  sequence === 1
    ? { type: 'grant.code_redeemed', data: { issue: issue(1, start, { jkt: 'key' }) } }
    : { type: 'grant.refreshed', data: { issue: issue(sequence, start, { jkt: 'key' }) } };

describe('the context of a grant', () => {
  test('is recorded beside the decision, and part of every issue from then on', () => {
    given([])
      .when({ type: 'authorize', terms, code, context: 'safe-1' })
      .expect({ events: [authorized, chosen('safe-1')] });
    given([authorized, chosen('safe-1')])
      .when(redeem())
      .expect({ events: [{ type: 'grant.code_redeemed', data: { issue: issue(1, start, { context: 'safe-1' }) } }] });
    given([authorized, redeemed, chosen('safe-2')])
      .when(refresh(1))
      .expect({ events: [{ type: 'grant.refreshed', data: { issue: issue(2, start, { context: 'safe-2' }) } }] });
  });

  test('survives redemption and refresh', () => {
    const events = [authorized, chosen('safe-1'), redeemed, { type: 'grant.refreshed', data: { issue: issue(2) } } as const];
    expect(replay(events)).toMatchObject({ context: 'safe-1', current: { sequence: 2 } });
  });

  test('cannot be changed where the app asked for that one by its resource', () => {
    const pinned: GrantEvent = { type: 'grant.authorized', data: { ...terms, contextPinned: true, code, issue: null } };
    given([pinned, chosen('safe-1'), redeemed])
      .when({ type: 'select_context', context: 'safe-2', standing: 'good' })
      .expect({ events: [], refusal: 'context_pinned' });
  });
});

describe('a grant bound to a key', () => {
  const asked: GrantEvent = { type: 'grant.authorized', data: { ...terms, code: { ...code, dpopJkt: 'key' }, issue: null } };

  test('takes its first key from the redemption', () => {
    given([authorized])
      .when(redeem({ proofKey: 'key' }))
      .expect({ events: [bound(1)] });
  });

  test.each([
    ['no key', null],
    ['another key', 'thief'],
  ] as const)('gives nothing for a code with %s, and ends nothing', (_what, proofKey) => {
    given([asked]).when(redeem({ proofKey })).expect({ events: [], refusal: 'proof_key_mismatch' });
  });

  test.each([
    ['no key', null],
    ['another key', 'thief'],
  ] as const)('gives nothing for a refresh token with %s, and ends nothing', (_what, proofKey) => {
    given([authorized, bound(1)])
      .when(refresh(1, { proofKey }))
      .expect({ events: [], refusal: 'proof_key_mismatch' });
    // A spent one too: whoever has only a copy cannot end what the owner of the key holds.
    given([authorized, bound(1), bound(2), bound(3)])
      .when(refresh(1, { proofKey }))
      .expect({ events: [], refusal: 'proof_key_mismatch' });
  });

  test('ends where a token from before it was bound comes again, for whoever bound it had stolen that', () => {
    const ended = {
      events: [
        { type: 'grant.refresh_reused', data: { sequence: 1, current: 2 } },
        { type: 'grant.revoked', data: { reason: 'refresh_reused', by: terms.client } },
      ],
      refusal: 'refresh_reused',
    } as const;
    for (const proofKey of [null, 'its owner'])
      given([authorized, redeemed, bound(2)])
        .when(refresh(1, { proofKey, now: start + 1000 }))
        .expect(ended);
    // And what was issued from there on is still only a copy in other hands.
    given([authorized, redeemed, bound(2), bound(3)])
      .when(refresh(2, { proofKey: null }))
      .expect({ events: [], refusal: 'proof_key_mismatch' });
  });

  test('answers the lost response of the refresh that bound it, to its key', () => {
    given([authorized, redeemed, bound(2)])
      .when(refresh(1, { proofKey: 'key', now: start + 1000 }))
      .expect({ events: [{ type: 'grant.refresh_retried', data: { sequence: 2 } }] });
  });

  test('refreshes with its key', () => {
    given([authorized, bound(1)])
      .when(refresh(1, { proofKey: 'key' }))
      .expect({ events: [bound(2)] });
  });

  test('is not what the answer to an unbound refresh can be asked for again as', () => {
    given([authorized, redeemed, { type: 'grant.refreshed', data: { issue: issue(2) } }])
      .when(refresh(1, { proofKey: 'key', now: start + 1000 }))
      .expect({ events: [], refusal: 'retry_differs' });
  });
});
