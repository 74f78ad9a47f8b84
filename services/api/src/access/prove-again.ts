import type { AccountId, AccountRecord } from '@grantlog/domain';
import type { Loaded } from '@grantlog/eventsourcing';
import { type By, checkSecondFactor, type PlatformNames, type SecondFactorProof } from '@grantlog/provisioning';
import type { Deps } from '../deps.ts';
import { checkPassword } from './check-password.ts';
import { deviceOf, type KnownDevice } from './known-device.ts';
import { recordFailure } from './record-failure.ts';
import { admitCode } from './second-factor-attempts.ts';
import type { Visitor } from './visitor.ts';

export type ProvedAgain =
  | {
      readonly outcome: 'proved';
      /** Null where the account has no second factor. Not spent. */
      readonly proof: SecondFactorProof | null;
      /** Of the account, at which both were right. */
      readonly version: number;
      readonly record: AccountRecord;
      readonly loaded: Loaded;
    }
  | { readonly outcome: 'wrong_password' | 'wrong_code' }
  | { readonly outcome: 'too_many_attempts'; readonly retryAfter: number };

/**
 * Has somebody who is signed in prove once more that they are the owner: by the password and, where there is one, the
 * second factor. Under the same throttles as a sign-in, so that a stolen sign-in is no place to guess from.
 *
 * @param shown.email the account's own, as it was loaded.
 * @throws LogUnavailable, PasswordsBusy: answered with 503.
 */
export const proveAgain = async (
  deps: Deps,
  names: PlatformNames,
  shown: {
    readonly account: AccountId;
    readonly email: string;
    readonly password: string;
    readonly code: string;
    readonly visitor: Visitor;
    readonly known: KnownDevice | null;
    readonly by: By;
  },
): Promise<ProvedAgain> => {
  const { platform } = names;
  const { account, email, password, visitor, known, by } = shown;
  const checked = await checkPassword(deps, names, { email, password, via: 'form', visitor, known, by });
  if (checked.outcome === 'throttled') return { outcome: 'too_many_attempts', retryAfter: checked.retryAfter };
  if (checked.outcome === 'wrong' || checked.account.id !== account) return { outcome: 'wrong_password' };
  await checked.giveBack();
  const { loaded, account: found } = checked;
  const right = { outcome: 'proved', version: loaded.stream(account).version, record: found.state, loaded } as const;
  if (found.state.factors.length === 0) return { ...right, proof: null };

  const device = deviceOf(known, { account, record: found.state });
  const admission = await admitCode(deps, { platform, account, address: visitor.address, device }, loaded.now);
  if (admission.outcome === 'refused') return { outcome: 'too_many_attempts', retryAfter: admission.retryAfter };
  const proof = checkSecondFactor({ sealer: deps.sealer, names }, { id: account, record: found.state, loaded }, shown.code);
  if (proof === null) {
    await recordFailure(deps, by, { platform, account, reason: 'wrong_code', via: 'form', visitor, loaded });
    return { outcome: 'wrong_code' };
  }
  await admission.giveBack();
  return { ...right, proof };
};
