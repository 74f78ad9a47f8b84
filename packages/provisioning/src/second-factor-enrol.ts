import { createRecoveryCodes, digestRecoveryCodes, recoveryCodeCount, verifyTotp } from '@grantlog/crypto';
import type { AccountId, AccountRefusal } from '@grantlog/domain';
import { accountDecider, platformDecider, platformStream, standing } from '@grantlog/domain';
import type { Loaded, NewEvent } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { insertCredentials } from '@grantlog/postgres';
import { beginSignIn, type NewSignIn } from './begin-sign-in.ts';
import { change } from './change.ts';
import type { PlatformNames } from './platform-directory.ts';
import type { By, Provisioning } from './provisioning.ts';
import { sealCredential } from './sealed-credentials.ts';
import { type SecondFactorProof, spendProof } from './second-factor-proof.ts';

export type EnrolmentRefusal =
  | AccountRefusal
  | 'wrong_code'
  | 'code_used'
  /** The platform offers no second factor. */
  | 'not_offered'
  /** Account or platform may not act, or something of the account changed since the enrolment began. */
  | 'changed_meanwhile';

export type Enrolled =
  /** Plain, to be shown once. */
  { readonly recoveryCodes: readonly string[] } | { readonly refusal: EnrolmentRefusal };

export type NewRecoveryCodes = { readonly plain: readonly string[]; readonly credentialId: string };

/** Makes a set of recovery codes and stores their digests, sealed. It is the account's once an event names it. */
export const storeRecoveryCodes = async (
  context: Pick<Provisioning, 'pool' | 'sealer'>,
  of: { readonly names: PlatformNames; readonly account: AccountId },
): Promise<NewRecoveryCodes> => {
  const plain = createRecoveryCodes();
  const place = { platform: of.names.platform, owner: of.account };
  const credential = sealCredential(context.sealer, { ...place, kind: 'recovery_codes', bytes: digestRecoveryCodes(plain) });
  await insertCredentials(context.pool, [credential]);
  return { plain, credentialId: credential.id };
};

/** The enrolled factor and its recovery codes, in this order: the codes need the factor. */
const enrolmentEvents = (
  loaded: Loaded,
  task: { readonly account: AccountId; readonly seed: string; readonly codes: string },
): { readonly refusal: AccountRefusal } | { readonly events: readonly NewEvent[] } => {
  const state = fold(accountDecider, loaded.stream(task.account));
  const enrolled = accountDecider.decide({ type: 'enrolMfa', factor: 'totp', credentialId: task.seed }, state);
  if (enrolled.refusal !== undefined || (state.status !== 'active' && state.status !== 'disabled'))
    return { refusal: enrolled.refusal ?? 'unknown_account' };
  const codes = accountDecider.decide(
    { type: 'setRecoveryCodes', credentialId: task.codes, count: recoveryCodeCount },
    { ...state, factors: [{ factor: 'totp', credentialId: task.seed }] },
  );
  return codes.refusal === undefined ? { events: [...enrolled.events, ...codes.events] } : { refusal: codes.refusal };
};

/**
 * Enrols an authenticator app with a first code of it, and makes the recovery codes, in one commit; with `signIn` the
 * sign-in that had to wait for it, or goes on in place of one without a second factor, begins in the same one: with the
 * first factor all of those end. The code is spent. A factor enrolled before is replaced: whoever may do that has proved
 * it when the enrolment began, at `expectedVersion` of the account.
 */
export const enrolTotp = async (
  context: Provisioning,
  by: By,
  task: {
    readonly names: PlatformNames;
    readonly account: AccountId;
    readonly expectedVersion: number;
    readonly seed: Uint8Array;
    readonly code: string;
    readonly signIn: NewSignIn | null;
  },
): Promise<Enrolled> => {
  const { names, account, signIn } = task;
  const { platform } = names;
  const { now } = await context.log.load(platform, [{ streamId: platformStream }]);
  const step = verifyTotp({ seed: task.seed, code: task.code.replaceAll(/\s/g, ''), now });
  if (step === null) return { refusal: 'wrong_code' };
  const claim = names.totpStep(account, step);
  const proof: SecondFactorProof = { method: 'totp', claim };

  const seed = sealCredential(context.sealer, { platform, owner: account, kind: 'totp_seed', bytes: task.seed });
  await insertCredentials(context.pool, [seed]);
  const codes = await storeRecoveryCodes(context, { names, account });

  const changed = await change<EnrolmentRefusal>(context, by, {
    platform,
    requests: [
      { streamId: platformStream },
      { streamId: account },
      { streamId: claim },
      ...(signIn === null ? [] : [{ streamId: signIn.id }]),
    ],
    decide: (loaded) => {
      const owner = fold(platformDecider, loaded.stream(platformStream));
      const state = fold(accountDecider, loaded.stream(account));
      const stands = standing({ firstPosition: null, platform: owner, client: null, account: state });
      if (stands !== 'good' || owner.status === 'none' || loaded.stream(account).version !== task.expectedVersion)
        return { refusal: 'changed_meanwhile' };
      if (owner.document.signIn.mfa === 'off') return { refusal: 'not_offered' };
      const spent = spendProof(proof, { id: account, state, loaded });
      if ('refusal' in spent) return spent;
      const enrolled = enrolmentEvents(loaded, { account, seed: seed.id, codes: codes.credentialId });
      if ('refusal' in enrolled) return enrolled;
      return {
        writes: [
          { streamId: account, events: enrolled.events },
          ...spent.writes,
          ...(signIn === null ? [] : [beginSignIn(loaded, { account, signIn, proof })]),
        ],
        reads: [platformStream],
      };
    },
  });
  return 'refusal' in changed ? changed : { recoveryCodes: codes.plain };
};
