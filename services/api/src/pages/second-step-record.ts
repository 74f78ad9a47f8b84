import { uuidv7 } from '@grantlog/crypto';
import type { AccountId, SignInId } from '@grantlog/domain';
import { accountDecider, platformStream, signInDecider, standing } from '@grantlog/domain';
import type { Loaded, Plan } from '@grantlog/eventsourcing';
import { execute, fold } from '@grantlog/eventsourcing';
import { amrOf, commitOn, type PlatformNames, proofStreams, type SecondFactorProof, spendProof } from '@grantlog/provisioning';
import { sealVisitor, type Visitor } from '../access/record-sign-in.ts';
import type { Deps } from '../deps.ts';
import { foldPlatform, platformStreams } from '../platforms/load-parties.ts';

/**
 * Records the sign-in of who showed the right password and a second factor, which is spent in the same commit.
 *
 * @param proved.checked the load in which the proof was judged, with the account's secrets, at the version whose password was right.
 * @returns why not, where account or platform changed since, or somebody else was faster with the same code.
 */
export const recordSecondStep = async (
  deps: Pick<Deps, 'log' | 'sealer'>,
  names: PlatformNames,
  proved: {
    readonly account: AccountId;
    readonly checked: Loaded;
    readonly proof: SecondFactorProof;
    readonly visitor: Visitor;
    readonly correlationId: string;
  },
): Promise<{ readonly id: SignInId } | { readonly refusal: 'changed_meanwhile' | 'code_used' }> => {
  const { account, checked, proof, visitor, correlationId } = proved;
  const { platform } = names;
  const { version, dataKey: wrappedKey } = checked.stream(account);
  const id = uuidv7(checked.now) as SignInId;
  const personal = sealVisitor(deps, { platform, account, wrappedKey, streamId: id, visitor });
  type Outcome = Awaited<ReturnType<typeof recordSecondStep>>;
  const { outcome } = await execute<Outcome>({
    log: deps.log,
    platform,
    requests: [...platformStreams, { streamId: account }, { streamId: id }, ...proofStreams(proof)],
    decide: (loaded): Plan<Outcome> => {
      const state = fold(accountDecider, loaded.stream(account));
      const stands = standing({ firstPosition: null, platform: foldPlatform(loaded), client: null, account: state });
      // Another version may have another password or another factor: the check was of the one before.
      if (stands !== 'good' || loaded.stream(account).version !== version)
        return { commit: null, outcome: { refusal: 'changed_meanwhile' } };
      const spent = spendProof(proof, { id: account, state, loaded });
      if ('refusal' in spent) return { commit: null, outcome: spent };
      const command = { type: 'succeed', account, method: 'password', amr: amrOf(proof) } as const;
      const { events } = signInDecider.decide(command, fold(signInDecider, loaded.stream(id)));
      const by = { actor: { kind: 'account', id: account }, correlationId } as const;
      const writes = [
        { streamId: account, events: spent.account },
        ...spent.writes,
        { streamId: id, events: events.map((event) => ({ ...event, ...personal })) },
      ];
      return { commit: commitOn(loaded, by, { writes, reads: [platformStream, account] }), outcome: { id } };
    },
  });
  return outcome;
};
