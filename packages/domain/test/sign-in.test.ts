import { specification } from '@grantlog/eventsourcing';
import { describe, expect, test } from 'vitest';
import { type AccountId, type SignInEvent, signInDecider } from '../src/index.ts';

const account = '00000000-0003-8000-8000-000000000001' as AccountId;
const succeeded: SignInEvent = { type: 'sign_in.succeeded', data: { account, method: 'password', amr: ['pwd'] } };
const failed: SignInEvent = { type: 'sign_in.failed', data: { account: null, reason: 'unknown_account', via: 'form' } };
const ended: SignInEvent = { type: 'sign_in.ended', data: { reason: 'signed_out' } };
const { given, replay } = specification(signInDecider);

describe('a sign-in', () => {
  test('succeeds, and remembers when in whole seconds', () => {
    given([])
      .when({ type: 'succeed', account, method: 'password', amr: ['pwd'] })
      .expect({ events: [succeeded] });
    expect(replay([{ ...succeeded, recordedAt: 1_700_000_000_999.25, position: 12 }])).toEqual({
      status: 'active',
      account,
      method: 'password',
      amr: ['pwd'],
      authTime: 1_700_000_000,
      firstPosition: 12,
    });
  });

  test('fails with the reason that only the log tells', () => {
    given([])
      .when({ type: 'fail', account: null, reason: 'unknown_account', via: 'form' })
      .expect({ events: [failed] });
    expect(replay([failed])).toEqual({ status: 'failed', account: null, firstPosition: 1 });
  });

  test.each([[succeeded], [failed]])('is decided once: $type', (decided) => {
    given([decided]).when({ type: 'succeed', account, method: 'password', amr: [] }).expect({ events: [], refusal: 'already_decided' });
    given([decided])
      .when({ type: 'fail', account, reason: 'wrong_password', via: 'form' })
      .expect({ events: [], refusal: 'already_decided' });
  });

  test('ends once and stays ended', () => {
    given([succeeded])
      .when({ type: 'end', reason: 'signed_out' })
      .expect({ events: [ended] });
    given([succeeded, ended]).when({ type: 'end', reason: 'expired' }).expect({ events: [] });
    given([succeeded, ended])
      .when({ type: 'succeed', account, method: 'password', amr: [] })
      .expect({ events: [], refusal: 'already_decided' });
    expect(replay([succeeded, ended, succeeded])).toMatchObject({ status: 'ended', account });
  });

  test('cannot end before it began, nor when it failed', () => {
    given([]).when({ type: 'end', reason: 'signed_out' }).expect({ events: [], refusal: 'not_signed_in' });
    given([failed]).when({ type: 'end', reason: 'signed_out' }).expect({ events: [], refusal: 'not_signed_in' });
  });
});
