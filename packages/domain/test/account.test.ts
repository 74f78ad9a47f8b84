import { specification } from '@grantlog/eventsourcing';
import { describe, expect, test } from 'vitest';
import { type AccountCommand, type AccountEvent, accountDecider, accountListLimit, type NameId } from '../src/index.ts';

const emailName = '00000000-0005-8000-8000-000000000001' as NameId;
const registered: AccountEvent = { type: 'account.registered', data: { emailName, kind: 'person', emailVerified: false } };
const disabled: AccountEvent = { type: 'account.disabled', data: { reason: 'abuse' } };
const erased: AccountEvent = { type: 'account.erased', data: {} };
const { given, replay } = specification(accountDecider);

const others: readonly AccountCommand[] = [
  { type: 'setPassword', credentialId: 'p1' },
  { type: 'assignRoles', roles: ['admin'] },
  { type: 'enrolMfa', factor: 'totp', credentialId: 't1' },
  { type: 'removeMfa', factor: 'totp' },
  { type: 'setRecoveryCodes', credentialId: 'r1', count: 10 },
  { type: 'useRecoveryCode', index: 0 },
  { type: 'setContexts', contexts: ['safe-1'] },
  { type: 'disable', reason: 'abuse' },
  { type: 'enable' },
  { type: 'revokeGrants', reason: 'lost phone' },
];

describe('an account', () => {
  test('is registered once', () => {
    given([])
      .when({ type: 'register', emailName, kind: 'person', emailVerified: false })
      .expect({ events: [registered] });
    given([registered])
      .when({ type: 'register', emailName, kind: 'person', emailVerified: false })
      .expect({ events: [], refusal: 'account_exists' });
    given([registered, erased])
      .when({ type: 'register', emailName, kind: 'person', emailVerified: false })
      .expect({ events: [], refusal: 'account_erased' });
  });

  test.each([...others, { type: 'erase' as const }])('refuses to $type before it is registered', (command) => {
    given([]).when(command).expect({ events: [], refusal: 'unknown_account' });
  });

  test.each(others)('refuses to $type once it is erased', (command) => {
    given([registered, erased]).when(command).expect({ events: [], refusal: 'account_erased' });
  });

  test('carries its personal data sealed, with the place it was sealed for', () => {
    expect(replay([{ ...registered, personal: Uint8Array.of(0, 255, 16) }])).toMatchObject({
      personal: { sealed: 'AP8Q', streamId: '01890000-0000-7000-8000-000000000001', version: 1 },
    });
  });

  test('ends earlier sign-ins, but no grant, when its password changes', () => {
    given([registered])
      .when({ type: 'setPassword', credentialId: 'p1' })
      .expect({ events: [{ type: 'account.password_set', data: { credentialId: 'p1' } }] });
    const state = replay([registered, { type: 'account.password_set', data: { credentialId: 'p1' }, position: 30 }]);
    expect(state).toMatchObject({ passwordCredential: 'p1', signInsBefore: 30, revokedBefore: 0 });
  });

  test('takes a password while disabled and stays disabled', () => {
    const password: AccountEvent = { type: 'account.password_set', data: { credentialId: 'p2' } };
    given([registered, disabled])
      .when({ type: 'setPassword', credentialId: 'p2' })
      .expect({ events: [password] });
    expect(replay([registered, disabled, password])).toMatchObject({ status: 'disabled', reason: 'abuse', passwordCredential: 'p2' });
  });

  test('records roles once, in one order, each once', () => {
    const assigned: AccountEvent = { type: 'account.roles_assigned', data: { roles: ['admin', 'user'] } };
    given([registered])
      .when({ type: 'assignRoles', roles: ['user', 'admin', 'user'] })
      .expect({ events: [assigned] });
    given([registered, assigned])
      .when({ type: 'assignRoles', roles: ['user', 'admin'] })
      .expect({ events: [] });
  });

  test('refuses more roles or contexts than its state may hold', () => {
    const many = Array.from({ length: accountListLimit + 1 }, (_, index) => `x${index}`);
    given([registered]).when({ type: 'assignRoles', roles: many }).expect({ events: [], refusal: 'too_many_roles' });
    given([registered]).when({ type: 'setContexts', contexts: many }).expect({ events: [], refusal: 'too_many_contexts' });
  });

  test('holds one factor of a kind: enrolling again replaces it, removing drops it', () => {
    const enrolled = (credentialId: string): AccountEvent => ({ type: 'account.mfa_enrolled', data: { factor: 'totp', credentialId } });
    const removed: AccountEvent = { type: 'account.mfa_removed', data: { factor: 'totp' } };
    expect(replay([registered, enrolled('t1'), enrolled('t2')])).toMatchObject({ factors: [{ factor: 'totp', credentialId: 't2' }] });
    expect(replay([registered, enrolled('t1'), removed])).toMatchObject({ factors: [] });
    given([registered, enrolled('t1')])
      .when({ type: 'removeMfa', factor: 'totp' })
      .expect({ events: [removed] });
    given([registered]).when({ type: 'removeMfa', factor: 'totp' }).expect({ events: [] });
  });

  test('of a program has no second factor, because nobody is there to be asked for it', () => {
    const program: AccountEvent = { type: 'account.registered', data: { emailName, kind: 'integration', emailVerified: false } };
    given([])
      .when({ type: 'register', emailName, kind: 'integration', emailVerified: false })
      .expect({ events: [program] });
    expect(replay([program])).toMatchObject({ kind: 'integration', emailVerified: false });
    expect(replay([registered])).toMatchObject({ kind: 'person', emailVerified: false });
    given([program]).when({ type: 'enrolMfa', factor: 'totp', credentialId: 't1' }).expect({ events: [], refusal: 'integration_account' });
  });

  test('keeps the ids of its contexts and what they are called sealed apart from its email', () => {
    const state = replay([
      { ...registered, personal: Uint8Array.of(1) },
      { type: 'account.contexts_set', data: { contexts: ['safe-1'] }, personal: Uint8Array.of(2) },
    ]);
    expect(state).toMatchObject({
      personal: { sealed: 'AQ==', version: 1 },
      contexts: { ids: ['safe-1'], personal: { sealed: 'Ag==', version: 2 } },
    });
  });

  test('is disabled and enabled again as it was', () => {
    given([registered])
      .when({ type: 'disable', reason: 'abuse' })
      .expect({ events: [disabled] });
    given([registered, disabled]).when({ type: 'disable', reason: 'again' }).expect({ events: [] });
    given([registered, disabled])
      .when({ type: 'enable' })
      .expect({ events: [{ type: 'account.enabled', data: {} }] });
    given([registered]).when({ type: 'enable' }).expect({ events: [] });
    expect(replay([registered, disabled, { type: 'account.enabled', data: {} }])).toEqual(replay([registered]));
  });

  test('keeps the position of its latest revocation, and enabling does not undo it', () => {
    const revoked: AccountEvent = { type: 'account.grants_revoked', data: { reason: 'lost phone' } };
    given([registered, revoked])
      .when({ type: 'revokeGrants', reason: 'lost phone' })
      .expect({ events: [revoked] });
    expect(replay([registered, { ...revoked, position: 7 }, disabled, { type: 'account.enabled', data: {} }])).toMatchObject({
      status: 'active',
      revokedBefore: 7,
    });
  });

  test('keeps nothing personal after its erasure, not even sealed', () => {
    given([registered])
      .when({ type: 'erase' })
      .expect({ events: [erased] });
    given([registered, disabled])
      .when({ type: 'erase' })
      .expect({ events: [erased] });
    given([registered, erased]).when({ type: 'erase' }).expect({ events: [] });
    expect(replay([{ ...registered, personal: Uint8Array.of(1) }, erased, disabled])).toEqual({
      status: 'erased',
      firstPosition: 1,
      revokedBefore: 0,
    });
  });
});

describe('the second factor of an account', () => {
  const enrolled = (position: number): AccountEvent & { readonly position: number } => ({
    type: 'account.mfa_enrolled',
    data: { factor: 'totp', credentialId: `t${position}` },
    position,
  });
  const removed: AccountEvent = { type: 'account.mfa_removed', data: { factor: 'totp' } };
  const since = (...events: Parameters<typeof replay>[0]) => {
    const state = replay([registered, ...events]);
    return 'secondFactorSince' in state ? state.secondFactorSince : null;
  };

  test('keeps the position since which it is asked for, which a move to another app leaves as it is', () => {
    expect([since(), since(enrolled(30)), since(enrolled(30), enrolled(40))]).toEqual([0, 30, 30]);
  });

  test('keeps that position when it is switched off, and has another when it is set up again', () => {
    expect(since(enrolled(30), removed)).toBe(30);
    expect(since(enrolled(30), removed, enrolled(50))).toBe(50);
  });
});

describe('recovery codes of an account', () => {
  const enrolled: AccountEvent = { type: 'account.mfa_enrolled', data: { factor: 'totp', credentialId: 't1' } };
  const removed: AccountEvent = { type: 'account.mfa_removed', data: { factor: 'totp' } };
  const set = (credentialId: string, count = 3): AccountEvent => ({ type: 'account.recovery_codes_set', data: { credentialId, count } });
  const used = (index: number): AccountEvent => ({ type: 'account.recovery_code_used', data: { index } });

  test('are made for a second factor, and not without', () => {
    given([registered, enrolled])
      .when({ type: 'setRecoveryCodes', credentialId: 'r1', count: 3 })
      .expect({ events: [set('r1')] });
    given([registered])
      .when({ type: 'setRecoveryCodes', credentialId: 'r1', count: 3 })
      .expect({ events: [], refusal: 'no_second_factor' });
    given([registered, enrolled, removed])
      .when({ type: 'setRecoveryCodes', credentialId: 'r1', count: 3 })
      .expect({ events: [], refusal: 'no_second_factor' });
  });

  test('are each good once', () => {
    given([registered, enrolled, set('r1')])
      .when({ type: 'useRecoveryCode', index: 2 })
      .expect({ events: [used(2)] });
    given([registered, enrolled, set('r1'), used(2)])
      .when({ type: 'useRecoveryCode', index: 2 })
      .expect({ events: [], refusal: 'recovery_code_unknown' });
    given([registered, enrolled, set('r1'), used(2)])
      .when({ type: 'useRecoveryCode', index: 0 })
      .expect({ events: [used(0)] });
    expect(replay([registered, enrolled, set('r1'), used(2), used(0)])).toMatchObject({ recoveryCodes: { used: [2, 0] } });
  });

  test.each([-1, 3, 100])('are those of the set: index %i of three is unknown', (index) => {
    given([registered, enrolled, set('r1')])
      .when({ type: 'useRecoveryCode', index })
      .expect({ events: [], refusal: 'recovery_code_unknown' });
  });

  test('are void with a new set, of which all are good', () => {
    expect(replay([registered, enrolled, set('r1'), used(1), set('r2', 2)])).toMatchObject({
      recoveryCodes: { credentialId: 'r2', count: 2, used: [] },
    });
    given([registered, enrolled, set('r1'), used(1), set('r2', 2)])
      .when({ type: 'useRecoveryCode', index: 1 })
      .expect({ events: [used(1)] });
  });

  test('go with the last second factor', () => {
    expect(replay([registered, enrolled, set('r1'), removed])).toMatchObject({ factors: [], recoveryCodes: null });
    given([registered, enrolled, set('r1'), removed])
      .when({ type: 'useRecoveryCode', index: 0 })
      .expect({ events: [], refusal: 'recovery_code_unknown' });
  });
});
