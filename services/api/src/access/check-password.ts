import { PasswordsBusy } from '@grantlog/crypto';
import type { AccountState, SignInFailure, SignInVia } from '@grantlog/domain';
import type { Loaded } from '@grantlog/eventsourcing';
import { type By, openCredential, type PlatformNames } from '@grantlog/provisioning';
import type { Deps } from '../deps.ts';
import { admit } from './attempts.ts';
import { type AccountLookup, type FoundAccount, findAccount } from './find-account.ts';
import { deviceOf, type KnownDevice } from './known-device.ts';
import { recordFailure } from './record-failure.ts';
import type { Visitor } from './visitor.ts';

/** An email and a password, who shows them, and under which request. */
export type PasswordAttempt = {
  readonly email: string;
  readonly password: string;
  readonly via: SignInVia;
  readonly visitor: Visitor;
  /** What the browser says about who has used it; null where no browser asks. */
  readonly known: KnownDevice | null;
  readonly by: By;
};

/** An account whose password was right. Whether it may do anything is not judged yet. */
export type RightPassword = {
  readonly outcome: 'right';
  readonly account: FoundAccount & { readonly state: Extract<AccountState, { status: 'active' | 'disabled' }> };
  /** The load in which the password was right, with the account's secrets. */
  readonly loaded: Loaded;
  /** The attempt comes to good: it counts no longer against anybody. */
  readonly giveBack: () => Promise<void>;
  /** The attempt fails all the same, for this reason, and stays counted. */
  readonly fail: (reason: SignInFailure) => Promise<void>;
};

export type PasswordOutcome =
  | RightPassword
  /** Recorded. */
  | { readonly outcome: 'wrong'; readonly reason: 'unknown_account' | 'wrong_password' }
  /** Not looked at, even if it was right. */
  | { readonly outcome: 'throttled'; readonly retryAfter: number };

/** Who may have a right password: an account that is not erased. Everybody else costs the same and is wrong. */
const verify = async (
  deps: Deps,
  names: PlatformNames,
  lookup: AccountLookup,
  password: string,
): Promise<RightPassword['account'] | null> => {
  const { passwords } = deps.provisioning;
  const { account, loaded } = lookup;
  const state = account?.state;
  if (account === null || (state?.status !== 'active' && state?.status !== 'disabled') || state.passwordCredential === null) {
    await passwords.verifyAgainstNothing(password);
    return null;
  }
  const hash = openCredential(deps.sealer, {
    platform: names.platform,
    owner: account.id,
    kind: 'password_hash',
    id: state.passwordCredential,
    credentials: loaded.stream(account.id).credentials,
  });
  return (await passwords.verify(new TextDecoder().decode(hash), password)) ? { id: account.id, state } : null;
};

/**
 * Judges a password: the buckets first, then argon2, then the record of a failure. Form and HTTP Basic both ask here, so
 * they share one budget. Unknown accounts take the same buckets, cost the same work and write the same event.
 *
 * @throws LogUnavailable, PasswordsBusy: answered with 503.
 */
export const checkPassword = async (deps: Deps, names: PlatformNames, attempt: PasswordAttempt): Promise<PasswordOutcome> => {
  const { platform } = names;
  const { known, visitor, via } = attempt;
  const lookup = await findAccount(deps, names, attempt.email);
  const { account, loaded } = lookup;
  const state = account?.state;
  const device =
    account !== null && (state?.status === 'active' || state?.status === 'disabled')
      ? deviceOf(known, { account: account.id, record: state })
      : null;
  const tried = { platform, name: names.email(attempt.email), address: visitor.address, device };
  const admission = await admit(deps, tried, loaded.now);
  if (admission.outcome === 'refused') return { outcome: 'throttled', retryAfter: admission.retryAfter };

  const right = await verify(deps, names, lookup, attempt.password).catch(async (error: unknown) => {
    // The password was not looked at, so nothing was guessed.
    if (error instanceof PasswordsBusy) await admission.giveBack();
    throw error;
  });
  const fail = (reason: SignInFailure): Promise<void> =>
    recordFailure(deps, attempt.by, { platform, account: account?.id ?? null, reason, via, visitor, loaded });
  if (right !== null) return { outcome: 'right', account: right, loaded, giveBack: admission.giveBack, fail };
  const reason = account === null ? 'unknown_account' : 'wrong_password';
  await fail(reason);
  return { outcome: 'wrong', reason };
};
