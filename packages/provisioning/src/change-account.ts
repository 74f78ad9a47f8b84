import type { AccountCommand, AccountId, AccountRefusal } from '@grantlog/domain';
import { accountDecider, platformDecider, platformStream } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { isAssignableRole } from './assignable-role.ts';
import type { Changed } from './change.ts';
import { change } from './change.ts';
import type { By, Provisioning } from './provisioning.ts';

/** What an operator does to an account that is there; a password is set and data is erased by themselves. */
export type AccountChange = Extract<AccountCommand, { readonly type: 'assignRoles' | 'disable' | 'enable' | 'revokeGrants' }>;

/** Changes an account. */
export const changeAccount = async (
  context: Provisioning,
  by: By,
  task: { readonly platform: PlatformId; readonly account: AccountId; readonly command: AccountChange },
): Promise<Changed<'unknown_platform' | 'unknown_role' | AccountRefusal>> => {
  const { platform, account, command } = task;
  if ((await context.directory.open(platform)) === null) return { refusal: 'unknown_platform' };
  return change<'unknown_platform' | 'unknown_role' | AccountRefusal>(context, by, {
    platform,
    requests: [{ streamId: platformStream }, { streamId: account }],
    decide: (loaded) => {
      const owner = fold(platformDecider, loaded.stream(platformStream));
      if (owner.status === 'none') return { refusal: 'unknown_platform' };
      const { events, refusal } = accountDecider.decide(command, fold(accountDecider, loaded.stream(account)));
      if (refusal !== undefined) return { refusal };
      if (command.type !== 'assignRoles') return { writes: [{ streamId: account, events }] };
      if (!command.roles.every((role) => isAssignableRole(owner.document, role))) return { refusal: 'unknown_role' };
      return { writes: [{ streamId: account, events }], reads: [platformStream] };
    },
  });
};
