import type { AccountId, AccountRefusal, AccountState, NameId } from '@grantlog/domain';
import { accountDecider, nameDecider } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import type { Changed } from './change.ts';
import { change } from './change.ts';
import type { By, Provisioning } from './provisioning.ts';

/** The names that an account holds: its email, and the people of identity providers that it stands for. */
const namesOf = (state: AccountState): readonly NameId[] =>
  state.status === 'active' || state.status === 'disabled'
    ? [state.emailName, ...state.externalSubjects.map(({ subjectName }) => subjectName)]
    : [];

/**
 * Erases an account and releases its names, in one commit: from then on every reader finds nothing but `erased`, and
 * neither its email nor an identity provider leads to it.
 *
 * The row of its data key goes with the worker, which alone may delete it, when it comes to `account.erased`.
 */
export const eraseAccount = async (
  context: Provisioning,
  by: By,
  task: { readonly platform: PlatformId; readonly account: AccountId },
): Promise<Changed<'unknown_platform' | AccountRefusal>> => {
  const { platform, account } = task;
  if ((await context.directory.open(platform)) === null) return { refusal: 'unknown_platform' };
  const before = namesOf(fold(accountDecider, (await context.log.load(platform, [{ streamId: account }])).stream(account)));
  const erased = await change<'linked_meanwhile' | AccountRefusal>(context, by, {
    platform,
    requests: [account, ...before].map((streamId) => ({ streamId })),
    decide: (loaded) => {
      const state = fold(accountDecider, loaded.stream(account));
      // Linked to somebody more since they were read: that name has not been loaded.
      if (!namesOf(state).every((name) => before.includes(name))) return { refusal: 'linked_meanwhile' };
      const { events, refusal } = accountDecider.decide({ type: 'erase' }, state);
      if (refusal !== undefined) return { refusal };
      // A name that somebody else holds by now is not this account's to release.
      const released = before.map((name) => ({
        streamId: name,
        events: nameDecider.decide({ type: 'release', owner: account }, fold(nameDecider, loaded.stream(name))).events,
      }));
      return { writes: [{ streamId: account, events }, ...(events.length === 0 ? [] : released)] };
    },
  });
  if (!('refusal' in erased)) return erased;
  return erased.refusal === 'linked_meanwhile' ? eraseAccount(context, by, task) : { refusal: erased.refusal };
};
