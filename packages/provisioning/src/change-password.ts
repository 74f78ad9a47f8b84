import type { AccountId } from '@grantlog/domain';
import { accountDecider, platformDecider, platformStream, standing } from '@grantlog/domain';
import { fold } from '@grantlog/eventsourcing';
import { beginSignIn, type NewSignIn } from './begin-sign-in.ts';
import { change } from './change.ts';
import type { PlatformNames } from './platform-directory.ts';
import type { By, Provisioning } from './provisioning.ts';
import { proofStreams, type SecondFactorProof, spendProof } from './second-factor-proof.ts';
import { storePassword } from './set-password.ts';

export type PasswordRefusal =
  | 'code_used'
  /** Account or platform may not act, or something of the account changed since the old password was checked. */
  | 'changed_meanwhile';

export type PasswordChanged =
  | {
      readonly position: number;
      /** Id of the credential that holds the new hash. */
      readonly passwordCredential: string;
    }
  | { readonly refusal: PasswordRefusal };

/**
 * Changes the password of who has just proved the one before and, where the account has one, the second factor, which is
 * spent in the same commit. Every sign-in ends with it but `signIn`, which begins in its place; grants do not.
 *
 * @throws UnacceptablePassword for a password that cannot be hashed; PasswordsBusy.
 */
export const changePassword = async (
  context: Provisioning,
  by: By,
  task: {
    readonly names: PlatformNames;
    readonly account: AccountId;
    /** The version of the account at which password and proof were checked. */
    readonly expectedVersion: number;
    /** Null where the account has no second factor. */
    readonly proof: SecondFactorProof | null;
    /** Plain; it is hashed here and goes no further. */
    readonly password: string;
    /** Of the browser in which it happens, if any. */
    readonly signIn: NewSignIn | null;
  },
): Promise<PasswordChanged> => {
  const { names, account, proof, signIn } = task;
  const { platform } = names;
  const passwordCredential = await storePassword(context, { platform, account, password: task.password });
  const changed = await change<PasswordRefusal>(context, by, {
    platform,
    requests: [
      { streamId: platformStream },
      { streamId: account },
      ...proofStreams(proof),
      ...(signIn === null ? [] : [{ streamId: signIn.id }]),
    ],
    decide: (loaded) => {
      const state = fold(accountDecider, loaded.stream(account));
      const stands = standing({
        firstPosition: null,
        platform: fold(platformDecider, loaded.stream(platformStream)),
        client: null,
        account: state,
      });
      if (stands !== 'good' || state.status !== 'active' || loaded.stream(account).version !== task.expectedVersion)
        return { refusal: 'changed_meanwhile' };
      // Whoever forgot to ask for a second factor changes nothing.
      if (proof === null && state.factors.length > 0) return { refusal: 'changed_meanwhile' };
      const spent = spendProof(proof, { id: account, state, loaded });
      if ('refusal' in spent) return spent;
      const { events, refusal } = accountDecider.decide({ type: 'setPassword', credentialId: passwordCredential }, state);
      if (refusal !== undefined) return { refusal: 'changed_meanwhile' };
      return {
        writes: [
          { streamId: account, events: [...spent.account, ...events] },
          ...spent.writes,
          // After the password: sign-ins that began before it are over.
          ...(signIn === null ? [] : [beginSignIn(loaded, { account, signIn, proof })]),
        ],
        reads: [platformStream],
      };
    },
  });
  return 'refusal' in changed ? changed : { position: changed.position, passwordCredential };
};
