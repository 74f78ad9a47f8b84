import type { AccountId, GrantId } from '@grantlog/domain';
import { grantDecider, parseStreamId } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { execute } from '@grantlog/eventsourcing';
import { commitOn, forgetConsent, memoryOfGrant, revokeSession } from '@grantlog/provisioning';
import type { Deps } from '../deps.ts';
import { foldGrant } from '../platforms/load-parties.ts';

/** `position` is where the log says that it has ended; null where it had ended before. */
export type ConnectionEnded = { readonly outcome: 'ended'; readonly position: number | null } | { readonly outcome: 'unknown' };

/**
 * Ends a grant of an account by its own hand, with all its tokens, and the agent's session that it belongs to, if any; what was
 * remembered of the consent to it goes with it.
 * Whose grant it is, the log says: that of anybody else is `unknown`, like one that never was.
 */
export const endConnection = async (
  deps: Deps,
  task: { readonly platform: PlatformId; readonly account: AccountId; readonly grant: string; readonly correlationId: string },
): Promise<ConnectionEnded> => {
  const { platform, account, correlationId } = task;
  const id = parseStreamId(task.grant) as GrantId | null;
  if (id === null) return { outcome: 'unknown' };
  const found = foldGrant(await deps.log.load(platform, [{ streamId: id }]), id);
  if (found.status === 'none' || found.status === 'denied' || found.terms.account !== account) return { outcome: 'unknown' };
  const by = { actor: { kind: 'account', id: account }, correlationId } as const;
  const { session } = found.terms;
  if (session !== null) {
    const revoked = await revokeSession(deps.provisioning, by, { platform, session, reason: 'by_account', account });
    return 'refusal' in revoked ? { outcome: 'unknown' } : { outcome: 'ended', position: revoked.changed ? revoked.position : null };
  }
  const names = await deps.directory.open(platform);
  const memory = names === null ? null : memoryOfGrant(names, found);
  const { appended } = await execute<null>({
    log: deps.log,
    platform,
    requests: [{ streamId: id }, ...(memory === null ? [] : [{ streamId: memory }])],
    decide: (loaded) => {
      const { events, refusal } = grantDecider.decide({ type: 'revoke', reason: 'by_account', by: account }, foldGrant(loaded, id));
      if (refusal === 'grant_ended') return { commit: null, outcome: null };
      if (refusal !== undefined) throw new Error(`a revocation by the account was refused with ${refusal}`);
      // Whoever ends a connection takes back their consent to it, whichever of its grants that is remembered by.
      const forgotten = memory === null ? [] : [forgetConsent(loaded, memory)];
      return { commit: commitOn(loaded, by, { writes: [{ streamId: id, events }, ...forgotten] }), outcome: null };
    },
  });
  return { outcome: 'ended', position: appended?.position ?? null };
};
