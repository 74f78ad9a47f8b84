import type { AccountId, AccountRefusal } from '@grantlog/domain';
import { accountDecider, nameDecider } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import type { Changed } from './change.ts';
import { change } from './change.ts';
import type { By, Provisioning } from './provisioning.ts';

/**
 * Erases an account and releases its email, in one commit: from then on every reader finds nothing but `erased`.
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
  // Which email an account claims is said at its registration and never changes, so it may be read beforehand.
  const before = fold(accountDecider, (await context.log.load(platform, [{ streamId: account }])).stream(account));
  const email = before.status === 'active' || before.status === 'disabled' ? before.emailName : null;
  return change(context, by, {
    platform,
    requests: [{ streamId: account }, ...(email === null ? [] : [{ streamId: email }])],
    decide: (loaded) => {
      const { events, refusal } = accountDecider.decide({ type: 'erase' }, fold(accountDecider, loaded.stream(account)));
      if (refusal !== undefined) return { refusal };
      // A name that somebody else holds by now is not this account's to release.
      const released =
        email === null ? [] : nameDecider.decide({ type: 'release', owner: account }, fold(nameDecider, loaded.stream(email))).events;
      return {
        writes: [{ streamId: account, events }, ...(email === null || events.length === 0 ? [] : [{ streamId: email, events: released }])],
      };
    },
  });
};
