import type { AccountId, GrantId } from '@grantlog/domain';
import { clientDecider, grantDecider } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import type { Changed } from './change.ts';
import { change } from './change.ts';
import { isOwnedBy } from './client-owner.ts';
import type { By, Provisioning } from './provisioning.ts';
import { isGrant } from './revoke-grant.ts';

/**
 * Ends a grant of a client by the hand of its developer. Whose client and which client's grant it is, the log says; a
 * grant of another client is `unknown_grant`. One that has ended already stays as it ended.
 */
export const revokeClientGrant = async (
  context: Provisioning,
  by: By,
  task: { readonly platform: PlatformId; readonly clientId: string; readonly owner: AccountId; readonly grant: GrantId },
): Promise<Changed<'unknown_client' | 'unknown_grant'>> => {
  const { platform, grant, owner } = task;
  const names = await context.directory.open(platform);
  if (names === null) return { refusal: 'unknown_client' };
  const client = names.client(task.clientId);
  // A stranger is told that the client is not there before anything is said of the grant.
  const grantIsThere = await isGrant(context, { platform, id: grant });
  return change<'unknown_client' | 'unknown_grant'>(context, by, {
    platform,
    requests: [{ streamId: client }, ...(grantIsThere ? [{ streamId: grant }] : [])],
    decide: (loaded) => {
      if (!isOwnedBy(fold(clientDecider, loaded.stream(client)), owner)) return { refusal: 'unknown_client' };
      if (!grantIsThere) return { refusal: 'unknown_grant' };
      const state = fold(grantDecider, loaded.stream(grant));
      if (state.status === 'none' || state.status === 'denied' || state.terms.client !== client) return { refusal: 'unknown_grant' };
      const { events, refusal } = grantDecider.decide({ type: 'revoke', reason: 'by_client', by: owner }, state);
      if (refusal === 'grant_ended') return { writes: [] };
      if (refusal !== undefined) throw new Error(`a revocation by a developer was refused with ${refusal}`);
      return { writes: [{ streamId: grant, events }], reads: [client] };
    },
  });
};
