import type { AccountState } from '../account/state.ts';
import type { Instant } from '../ids.ts';
import type { PlatformState } from '../platform/state.ts';
import type { SignInState } from '../sign-in/state.ts';
import { type Standing, standing } from './standing.ts';

export type SignInStanding = Standing | 'sign_in_ended' | 'sign_in_expired' | 'password_changed' | 'second_factor_missing';

/**
 * Whether a browser's sign-in still stands for its account: its own end and expiry, a password set since, a second
 * factor that the account has set up since or the platform requires by now, and the {@link standing} that every path shares.
 *
 * @param subject `account` is the account that the sign-in names; `now` is the database's clock.
 */
export const signInStanding = (subject: {
  readonly signIn: SignInState;
  readonly platform: PlatformState;
  readonly account: AccountState;
  readonly now: Instant;
}): SignInStanding => {
  const { signIn, platform, account, now } = subject;
  if (signIn.status !== 'active') return 'sign_in_ended';
  const shared = standing({ firstPosition: signIn.firstPosition, platform, client: null, account });
  if (shared !== 'good' || account.status !== 'active' || platform.status !== 'active') return shared;
  if (signIn.firstPosition < account.signInsBefore) return 'password_changed';
  const needsSecond = platform.document.signIn.mfa === 'required' || signIn.firstPosition < account.secondFactorSince;
  if (needsSecond && !signIn.amr.includes('mfa')) return 'second_factor_missing';
  const age = Math.floor(now / 1000) - signIn.authTime;
  // A negative age means that a clock went backwards: fail closed.
  return age < 0 || age >= platform.document.lifetimes.signInSeconds ? 'sign_in_expired' : 'good';
};
