import { recoveryCodeCount } from '@grantlog/crypto';
import type { AccountCommand, AccountId, AccountRefusal } from '@grantlog/domain';
import { accountDecider, platformDecider, platformStream, standing } from '@grantlog/domain';
import { fold } from '@grantlog/eventsourcing';
import { type Changed, change } from './change.ts';
import type { PlatformNames } from './platform-directory.ts';
import type { By, Provisioning } from './provisioning.ts';
import { storeRecoveryCodes } from './second-factor-enrol.ts';
import { proofStreams, type SecondFactorProof, spendProof } from './second-factor-proof.ts';

export type SecondFactorRefusal =
  | AccountRefusal
  | 'code_used'
  /** Account or platform may not act, or something of the account changed since the proof was checked. */
  | 'changed_meanwhile'
  /** The platform does not let anybody be without. */
  | 'required_by_platform';

type Task = {
  readonly names: PlatformNames;
  readonly account: AccountId;
  /** The version of the account at which password and proof were checked. */
  readonly expectedVersion: number;
  readonly proof: SecondFactorProof;
};

/** Spends a proof and records a command of the account with it, in one commit; with null only the proof is spent. */
const withProof = (context: Provisioning, by: By, task: Task, command: AccountCommand | null): Promise<Changed<SecondFactorRefusal>> => {
  const { names, account, proof } = task;
  return change<SecondFactorRefusal>(context, by, {
    platform: names.platform,
    requests: [{ streamId: platformStream }, { streamId: account }, ...proofStreams(proof)],
    decide: (loaded) => {
      const owner = fold(platformDecider, loaded.stream(platformStream));
      const state = fold(accountDecider, loaded.stream(account));
      const stands = standing({ firstPosition: null, platform: owner, client: null, account: state });
      if (stands !== 'good' || owner.status === 'none' || loaded.stream(account).version !== task.expectedVersion)
        return { refusal: 'changed_meanwhile' };
      if (command?.type === 'removeMfa' && owner.document.signIn.mfa === 'required') return { refusal: 'required_by_platform' };
      const spent = spendProof(proof, { id: account, state, loaded });
      if ('refusal' in spent) return spent;
      const decided = command === null ? { events: [] } : accountDecider.decide(command, state);
      if (decided.refusal !== undefined) return { refusal: decided.refusal };
      return {
        writes: [{ streamId: account, events: [...spent.account, ...decided.events] }, ...spent.writes],
        reads: [platformStream, account],
      };
    },
  });
};

/** Switches the authenticator app off, where the platform lets its accounts be without. Its recovery codes go with it. */
export const removeTotp = (context: Provisioning, by: By, task: Task): Promise<Changed<SecondFactorRefusal>> =>
  withProof(context, by, task, { type: 'removeMfa', factor: 'totp' });

/** Replaces the recovery codes by a new set. @returns the plain codes, to be shown once. */
export const renewRecoveryCodes = async (
  context: Provisioning,
  by: By,
  task: Task,
): Promise<{ readonly recoveryCodes: readonly string[] } | { readonly refusal: SecondFactorRefusal }> => {
  const codes = await storeRecoveryCodes(context, task);
  const command = { type: 'setRecoveryCodes', credentialId: codes.credentialId, count: recoveryCodeCount } as const;
  const changed = await withProof(context, by, task, command);
  return 'refusal' in changed ? changed : { recoveryCodes: codes.plain };
};

/** Spends a proof for what is no event of the account by itself: the move to another app, which a first code of that one ends. */
export const spendSecondFactor = (context: Provisioning, by: By, task: Task): Promise<Changed<SecondFactorRefusal>> =>
  withProof(context, by, task, null);
