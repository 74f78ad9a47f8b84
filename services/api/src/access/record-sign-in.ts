import type { AccountId, SignInEvent, SignInId } from '@grantlog/domain';
import { accountDecider, platformStream, signInDecider, standing } from '@grantlog/domain';
import type { CommitId, Loaded, Plan, PlatformId } from '@grantlog/eventsourcing';
import { execute, fold } from '@grantlog/eventsourcing';
import { beginSignIn, commitOn, proofStreams, type SecondFactorProof, spendProof } from '@grantlog/provisioning';
import type { Deps } from '../deps.ts';
import { foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { secondStepOf } from './second-step-of.ts';
import { newSignIn, type Visitor } from './visitor.ts';

export type SignInRecorded =
  | { readonly id: SignInId }
  /** Account or platform changed since the proof was checked, or somebody else was faster with the same code. */
  | { readonly refusal: 'changed_meanwhile' | 'code_used' };

/** Ends a sign-in, unless it is the account's own or over already. */
const endOfOther = (loaded: Loaded, id: SignInId, account: AccountId): readonly SignInEvent[] => {
  const former = fold(signInDecider, loaded.stream(id));
  return former.status === 'active' && former.account !== account
    ? signInDecider.decide({ type: 'end', reason: 'replaced' }, former).events
    : [];
};

/**
 * Records the sign-in of who has shown all that the account asks for: the right password and, where it has one, a second
 * factor, which is spent in the same commit. Somebody else's sign-in of before in this browser ends with it, so that their apps hear
 * of it: nobody can go back to it. One's own goes on, because apps of the same person are not to lose their sessions.
 *
 * @param proved.checked the load in which the last proof was judged, with the account's secrets, at the version whose password was right.
 * @param proved.proof null for the password alone.
 */
export const recordSignIn = async (
  deps: Pick<Deps, 'log' | 'sealer'>,
  proved: {
    readonly platform: PlatformId;
    readonly account: AccountId;
    readonly checked: Loaded;
    readonly proof: SecondFactorProof | null;
    readonly visitor: Visitor;
    /** The sign-in that this browser has from before; null where it has none. */
    readonly former: SignInId | null;
    readonly correlationId: string;
    /** What led to it besides that it was asked for: the making of the account. */
    readonly causationId?: CommitId;
  },
): Promise<SignInRecorded> => {
  const { platform, account, checked, proof, visitor, former, correlationId, causationId } = proved;
  const signIn = newSignIn(deps, { platform, account, visitor, loaded: checked });
  const { outcome } = await execute<SignInRecorded>({
    log: deps.log,
    platform,
    requests: [
      ...platformStreams,
      { streamId: account },
      { streamId: signIn.id },
      ...(former === null ? [] : [{ streamId: former }]),
      ...proofStreams(proof),
    ],
    decide: (loaded): Plan<SignInRecorded> => {
      const refused = (refusal: 'changed_meanwhile' | 'code_used') => ({ commit: null, outcome: { refusal } }) as const;
      const state = fold(accountDecider, loaded.stream(account));
      const owner = foldPlatform(loaded);
      const stands = standing({ firstPosition: null, platform: owner, client: null, account: state });
      // Another version may have another password or another factor: the check was of the one before.
      if (stands !== 'good' || loaded.stream(account).version !== checked.stream(account).version) return refused('changed_meanwhile');
      if (state.status !== 'active' || owner.status !== 'active') return refused('changed_meanwhile');
      // Whoever forgot to ask for a second factor gets nobody past here.
      if (proof === null && secondStepOf(owner.document, state) !== 'nothing') return refused('changed_meanwhile');
      const spent = spendProof(proof, { id: account, state, loaded });
      if ('refusal' in spent) return refused(spent.refusal);
      const because = causationId === undefined ? {} : { causationId };
      const by = { actor: { kind: 'account', id: account }, correlationId, ...because } as const;
      const replaced = former === null ? [] : [{ streamId: former, events: endOfOther(loaded, former, account) }];
      const begun = beginSignIn(loaded, { account, signIn, proof });
      const writes = [{ streamId: account, events: spent.account }, ...spent.writes, ...replaced, begun];
      return { commit: commitOn(loaded, by, { writes, reads: [platformStream, account] }), outcome: { id: signIn.id } };
    },
  });
  return outcome;
};
