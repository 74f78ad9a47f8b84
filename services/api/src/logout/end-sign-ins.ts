import type { SignInId } from '@grantlog/domain';
import { signInDecider } from '@grantlog/domain';
import type { Plan, PlatformId } from '@grantlog/eventsourcing';
import { execute, fold } from '@grantlog/eventsourcing';
import { commitOn } from '@grantlog/provisioning';
import type { Deps } from '../deps.ts';

/**
 * Ends the sign-in of a browser and, where it is the same account's, another one, for good and in one commit: a copy of its cookie
 * opens nothing afterwards. What is over already stays as it ended, and what was granted stays.
 */
export const endSignIns = async (
  deps: Pick<Deps, 'log'>,
  of: { readonly platform: PlatformId; readonly own: SignInId; readonly also: SignInId | null; readonly correlationId: string },
): Promise<void> => {
  const { platform, own, also, correlationId } = of;
  const ids = also === null || also === own ? [own] : [own, also];
  await execute<null>({
    log: deps.log,
    platform,
    requests: ids.map((streamId) => ({ streamId })),
    decide: (loaded): Plan<null> => {
      const states = ids.map((streamId) => ({ streamId, signIn: fold(signInDecider, loaded.stream(streamId)) }));
      const [mine] = states;
      if (mine === undefined || !('authTime' in mine.signIn)) return { commit: null, outcome: null };
      const { account } = mine.signIn;
      const writes = states.flatMap(({ streamId, signIn }) =>
        signIn.status === 'active' && signIn.account === account
          ? [{ streamId, events: signInDecider.decide({ type: 'end', reason: 'signed_out' }, signIn).events }]
          : [],
      );
      const by = { actor: { kind: 'account', id: account }, correlationId } as const;
      return { commit: commitOn(loaded, by, { writes }), outcome: null };
    },
  });
};
