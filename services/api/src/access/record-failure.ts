import { randomUuid } from '@grantlog/crypto';
import type { AccountId, SignInFailure, SignInVia } from '@grantlog/domain';
import { signInDecider } from '@grantlog/domain';
import type { CommitId, Loaded, PlatformId } from '@grantlog/eventsourcing';
import type { By } from '@grantlog/provisioning';
import type { Deps } from '../deps.ts';
import { newSignIn, type Visitor } from './visitor.ts';

/**
 * Records that an attempt failed, on a stream of its own. The email that was typed is not in it.
 *
 * Anybody can cause this write. It is bounded all the same: only attempts that were let through are recorded, and what
 * they took from their buckets stays taken.
 *
 * @param failure.loaded with the account's secrets, where there is an account.
 */
export const recordFailure = async (
  deps: Pick<Deps, 'log' | 'sealer'>,
  by: By,
  failure: {
    readonly platform: PlatformId;
    readonly account: AccountId | null;
    readonly reason: SignInFailure;
    readonly via: SignInVia;
    readonly visitor: Visitor;
    readonly loaded: Loaded;
  },
): Promise<void> => {
  const { platform, account, reason, via } = failure;
  const { id, ...sealed } = newSignIn(deps, failure);
  const { events } = signInDecider.decide({ type: 'fail', account, reason, via }, signInDecider.initial);
  await deps.log.append(platform, {
    commitId: randomUuid() as CommitId,
    writes: [{ streamId: id, expected: 0, events: events.map((event) => ({ ...event, ...sealed })) }],
    reads: [],
    actor: by.actor,
    correlationId: by.correlationId,
  });
};
