import { describe, expect, test } from 'vitest';
import {
  type AccountRecord,
  type AccountState,
  type ClientRecord,
  type ClientState,
  type PlatformState,
  type SignInState,
  type Standing,
  signInStanding,
  standing,
} from '../src/index.ts';
import { documentOf } from './documents.ts';

const revocation = 50;
const platformWith = (revokedBefore: number) => ({ document: documentOf(), firstPosition: 1, revokedBefore });
const account = {
  firstPosition: 2,
  revokedBefore: 0,
  signInsBefore: 0,
  secondFactorSince: 0,
  roles: [],
  factors: [],
} as unknown as AccountRecord;
const client = { firstPosition: 3, revokedBefore: 0, approval: 'approved' } as unknown as ClientRecord;

// Each state with the standing it forces by itself, or null when it forces none; `revokes` is its not-before.
type Case<State> = { readonly name: string; readonly state: State; readonly alone: Standing | null; readonly revokes?: Standing };

const platforms: readonly Case<PlatformState>[] = [
  { name: 'unwritten', state: { status: 'none' }, alone: 'platform_suspended' },
  { name: 'active', state: { status: 'active', ...platformWith(0) }, alone: null },
  { name: 'active, revoked', state: { status: 'active', ...platformWith(revocation) }, alone: null, revokes: 'revoked_with_platform' },
  { name: 'suspended', state: { status: 'suspended', reason: 'unpaid', ...platformWith(0) }, alone: 'platform_suspended' },
];
const clients: readonly Case<ClientState | null>[] = [
  { name: 'without', state: null, alone: null },
  { name: 'unwritten', state: { status: 'none' }, alone: 'client_deleted' },
  { name: 'active', state: { status: 'active', ...client }, alone: null },
  {
    name: 'active, revoked',
    state: { status: 'active', ...client, revokedBefore: revocation },
    alone: null,
    revokes: 'revoked_with_client',
  },
  { name: 'pending', state: { status: 'active', ...client, approval: 'pending' }, alone: 'client_unapproved' },
  { name: 'rejected', state: { status: 'active', ...client, approval: 'rejected' }, alone: 'client_unapproved' },
  { name: 'disabled', state: { status: 'disabled', reason: 'abuse', ...client }, alone: 'client_disabled' },
  { name: 'disabled, pending', state: { status: 'disabled', reason: 'abuse', ...client, approval: 'pending' }, alone: 'client_disabled' },
  {
    name: 'deleted',
    state: { status: 'deleted', clientId: client.clientId, how: 'portal', reason: null, firstPosition: 3, revokedBefore: 0 },
    alone: 'client_deleted',
  },
];
const accounts: readonly Case<AccountState | null>[] = [
  { name: 'without', state: null, alone: null },
  { name: 'unwritten', state: { status: 'none' }, alone: 'account_erased' },
  { name: 'active', state: { status: 'active', ...account }, alone: null },
  {
    name: 'active, revoked',
    state: { status: 'active', ...account, revokedBefore: revocation },
    alone: null,
    revokes: 'revoked_with_account',
  },
  { name: 'disabled', state: { status: 'disabled', reason: 'abuse', ...account }, alone: 'account_disabled' },
  { name: 'erased', state: { status: 'erased', firstPosition: 2, revokedBefore: 0 }, alone: 'account_erased' },
];
const firsts = [
  { when: 'before the revocation', firstPosition: revocation - 1, dead: true },
  { when: 'after the revocation', firstPosition: revocation + 1, dead: false },
  { when: 'not yet', firstPosition: null, dead: false },
];

const matrix = platforms.flatMap((platform) =>
  clients.flatMap((ofClient) =>
    accounts.flatMap((ofAccount) => firsts.map((first) => ({ platform, client: ofClient, account: ofAccount, first }))),
  ),
);

describe('standing', () => {
  test('covers the whole matrix of platform, client, account and position', () => {
    expect(matrix).toHaveLength(4 * 9 * 6 * 3);
    const seen = new Set<Standing>();
    for (const row of matrix) {
      const { platform, client: ofClient, account: ofAccount, first } = row;
      const suspended = [platform, ofClient, ofAccount].flatMap(({ alone }) => (alone === null ? [] : [alone]));
      const revoked = first.dead ? [ofClient, ofAccount, platform].flatMap(({ revokes }) => (revokes === undefined ? [] : [revokes])) : [];
      const expected = suspended[0] ?? revoked[0] ?? 'good';
      const actual = standing({
        firstPosition: first.firstPosition,
        platform: platform.state,
        client: ofClient.state,
        account: ofAccount.state,
      });
      expect(actual, `platform ${platform.name}, client ${ofClient.name}, account ${ofAccount.name}, ${first.when}`).toBe(expected);
      seen.add(actual);
    }
    expect([...seen].sort()).toEqual(
      [
        'good',
        'platform_suspended',
        'client_disabled',
        'client_deleted',
        'client_unapproved',
        'account_disabled',
        'account_erased',
        'revoked_with_client',
        'revoked_with_account',
        'revoked_with_platform',
      ].sort(),
    );
  });

  test('is good in exactly the rows where nothing is suspended and nothing reaches back', () => {
    const good = matrix.filter(
      (row) =>
        standing({
          firstPosition: row.first.firstPosition,
          platform: row.platform.state,
          client: row.client.state,
          account: row.account.state,
        }) === 'good',
    );
    // Free of suspensions: 2 platforms × 3 clients × 3 accounts. Of these 18, 4 are free of revocations too: 1 × 2 × 2.
    expect(good).toHaveLength(18 + 18 + 4);
  });
});

describe('the standing of a sign-in', () => {
  const active: PlatformState = { status: 'active', ...platformWith(0) };
  const holder: AccountState = { status: 'active', ...account };
  const signIn = { status: 'active', authTime: 1000, firstPosition: 10, amr: ['pwd'] } as unknown as SignInState;
  const good = { signIn, platform: active, account: holder, now: 1_000_000 };

  test('is good from its first second to its last', () => {
    expect(signInStanding(good)).toBe('good');
    expect(signInStanding({ ...good, now: (1000 + 28_800) * 1000 - 1 })).toBe('good');
    expect(signInStanding({ ...good, now: (1000 + 28_800) * 1000 })).toBe('sign_in_expired');
  });

  test('is expired when the clock went backwards', () => {
    expect(signInStanding({ ...good, now: 999_999 })).toBe('sign_in_expired');
  });

  test.each<[SignInState]>([
    [{ status: 'none' }],
    [{ status: 'failed', account: null, firstPosition: 10 }],
    [{ ...signIn, status: 'ended' } as SignInState],
  ])('is ended for %j', (state) => {
    expect(signInStanding({ ...good, signIn: state })).toBe('sign_in_ended');
  });

  test('is over once a password was set after it, and not by one set before it', () => {
    expect(signInStanding({ ...good, account: { ...holder, signInsBefore: 11 } })).toBe('password_changed');
    expect(signInStanding({ ...good, account: { ...holder, signInsBefore: 9 } })).toBe('good');
  });

  test('is over without a second factor where the platform requires one by now', () => {
    const strict: PlatformState = { ...active, document: documentOf({ signIn: { mfa: 'required' } }) };
    const stood = (amr: readonly string[]) => signInStanding({ ...good, platform: strict, signIn: { ...signIn, amr } as SignInState });
    expect(stood(['pwd'])).toBe('second_factor_missing');
    expect(stood(['pwd', 'otp', 'mfa'])).toBe('good');
    expect(stood(['pwd', 'mfa'])).toBe('good');
  });

  test('is over without a second factor once the account has set one up after it, also when it is switched off again', () => {
    const stood = (secondFactorSince: number, amr: readonly string[]) =>
      signInStanding({ ...good, account: { ...holder, secondFactorSince }, signIn: { ...signIn, amr } as SignInState });
    expect(stood(11, ['pwd'])).toBe('second_factor_missing');
    expect(stood(11, ['pwd', 'otp', 'mfa'])).toBe('good');
    expect(stood(9, ['pwd'])).toBe('good');
  });

  test('shares what suspends and revokes everything else', () => {
    expect(signInStanding({ ...good, platform: { status: 'suspended', reason: 'unpaid', ...platformWith(0) } })).toBe('platform_suspended');
    expect(signInStanding({ ...good, account: { ...account, status: 'disabled', reason: 'abuse' } })).toBe('account_disabled');
    expect(signInStanding({ ...good, account: { ...holder, revokedBefore: revocation } })).toBe('revoked_with_account');
  });
});
