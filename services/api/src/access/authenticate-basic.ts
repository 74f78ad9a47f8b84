import type { AccountId, AccountState, PlatformDocument } from '@grantlog/domain';
import { standing } from '@grantlog/domain';
import { countBasicUse } from '@grantlog/postgres';
import type { By, PlatformNames } from '@grantlog/provisioning';
import type { Deps } from '../deps.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldPlatform } from '../platforms/load-parties.ts';
import { checkPassword, type RightPassword } from './check-password.ts';
import { type BasicRefusal, type ExplorationNotice, noticeOf, refuseBasic } from './exploration.ts';
import type { Visitor } from './visitor.ts';

export type BasicCredentials = { readonly username: string; readonly password: string };

/** What HTTP Basic comes to for an account. */
export type BasicOutcome =
  | {
      readonly outcome: 'accepted';
      readonly account: AccountId;
      readonly record: Extract<AccountState, { status: 'active' }>;
      readonly notice: ExplorationNotice;
    }
  | BasicRefusal;

/** HTTP Basic proves one factor. Whoever has, or would have to have, a second one is not who this proves. */
const secondFactorOf = (
  document: PlatformDocument,
  record: Extract<AccountState, { status: 'active' }>,
): 'second_factor_enabled' | 'second_factor_required' | null => {
  if (record.factors.length > 0) return 'second_factor_enabled';
  return document.signIn.mfa === 'required' && record.kind === 'person' ? 'second_factor_required' : null;
};

const judge = async (
  deps: Deps,
  names: PlatformNames,
  right: RightPassword,
  place: { readonly document: PlatformDocument; readonly issuer: string },
): Promise<BasicOutcome> => {
  const { document } = place;
  const { account, loaded } = right;
  const { now } = loaded;
  const stands = standing({ firstPosition: null, platform: foldPlatform(loaded), client: null, account: account.state });
  const { state } = account;
  if (stands !== 'good' || state.status !== 'active') {
    await right.fail(stands === 'platform_suspended' ? 'platform_suspended' : 'account_disabled');
    return refuseBasic(place, { reason: 'account_unusable' });
  }
  const secondFactor = secondFactorOf(document, state);
  if (secondFactor !== null) {
    await right.fail('second_factor_needed');
    return refuseBasic(place, { reason: secondFactor });
  }
  // The password was right, so nobody guessed: what follows is a limit of its own.
  await right.giveBack();
  const { days, requestsPerDay } = document.exploration;
  const use = await countBasicUse(deps.provisioning.pool, { platform: names.platform, account: account.id, now, days, requestsPerDay });
  switch (use.outcome) {
    case 'days_over':
      return refuseBasic(place, { reason: 'exploration_ended', use, now });
    case 'day_full':
      return refuseBasic(place, { reason: 'daily_limit_reached', use, now });
    case 'counted':
      return { outcome: 'accepted', account: account.id, record: state, notice: noticeOf(document, use, now) };
  }
};

/**
 * Judges HTTP Basic credentials of an account: throttle, password, standing, second factor, limits of exploration, in this
 * order, so that only the right password learns anything about the account. A good check is no event, and nothing of it is
 * kept: the password is hashed each time.
 *
 * The caller has seen to it that the platform takes HTTP Basic.
 *
 * @throws LogUnavailable, PasswordsBusy: answered with 503.
 */
export const authenticateBasic = async (
  deps: Deps,
  names: PlatformNames,
  attempt: BasicCredentials & { readonly visitor: Visitor; readonly document: PlatformDocument; readonly by: By },
): Promise<BasicOutcome> => {
  const { document, username: email, password, visitor, by } = attempt;
  const place = { document, issuer: issuerOf(document, deps.config.publicUrl) };
  const checked = await checkPassword(deps, names, { email, password, via: 'basic', visitor, known: null, by });
  switch (checked.outcome) {
    case 'throttled':
      return refuseBasic(place, { reason: 'too_many_attempts', retryAfter: checked.retryAfter });
    case 'wrong':
      return refuseBasic(place, { reason: 'invalid_credentials' });
    case 'right':
      return judge(deps, names, checked, place);
  }
};
