import type { AccountId, GrantId, GrantRefusal } from '@grantlog/domain';
import { grantDecider, platformStream } from '@grantlog/domain';
import type { Plan, PlatformId } from '@grantlog/eventsourcing';
import { execute } from '@grantlog/eventsourcing';
import { type By, commitOn } from '@grantlog/provisioning';
import type { Deps } from '../deps.ts';
import { grantStanding } from '../platforms/grant-standing.ts';
import { foldAccount, foldGrant, foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { isPinned, standingContext } from './standing-context.ts';

/**
 * Why a grant stays as it is: it is not this account's, or nothing any more; the account has not what was chosen; the app asked for
 * the very one; or the app has not come for its tokens yet.
 */
export type ContextRefusal = 'unknown_grant' | 'grant_over' | 'unknown_context' | 'context_pinned' | 'not_redeemed';

export type ContextSelected =
  | { readonly outcome: 'selected'; readonly context: string; readonly previous: string | null }
  | { readonly outcome: 'refused'; readonly refusal: ContextRefusal };

const refusalOf = {
  unknown_grant: 'unknown_grant',
  grant_denied: 'unknown_grant',
  not_standing: 'grant_over',
  grant_ended: 'grant_over',
  context_pinned: 'context_pinned',
  code_not_redeemed: 'not_redeemed',
  // Of the other commands of a grant.
  already_decided: null,
  wrong_client: null,
  redirect_uri_missing: null,
  redirect_uri_mismatch: null,
  verifier_missing: null,
  verifier_unexpected: null,
  verifier_mismatch: null,
  code_expired: null,
  code_replayed: null,
  sequence_unknown: null,
  refresh_expired: null,
  refresh_reused: null,
  refresh_retried_too_often: null,
  retry_differs: null,
  retry_of_revoked: null,
  clock_stepped_back: null,
  scope_not_granted: null,
  resource_not_granted: null,
  resource_ambiguous: null,
  proof_key_mismatch: null,
  not_expired: null,
} as const satisfies Record<GrantRefusal, ContextRefusal | null>;

/**
 * Changes what a grant is for to another context of its account, by whoever may: its account, or who serves its tokens.
 * What both say is checked against the account as it stands, in one commit with it; the same context records nothing.
 */
export const selectContext = async (
  deps: Pick<Deps, 'log'>,
  by: By,
  task: {
    readonly platform: PlatformId;
    readonly grant: GrantId;
    /** Whose grant it has to be; anybody else's is `unknown_grant`. */
    readonly account: AccountId;
    readonly context: string;
  },
): Promise<ContextSelected> => {
  const { platform, grant: grantId, context } = task;
  const { outcome } = await execute({
    log: deps.log,
    platform,
    requests: [...platformStreams, { streamId: grantId, follow: true }],
    decide: (loaded): Plan<ContextSelected> => {
      const refuse = (why: ContextRefusal): Plan<ContextSelected> => ({ commit: null, outcome: { outcome: 'refused', refusal: why } });
      const owner = foldPlatform(loaded);
      const grant = foldGrant(loaded, grantId);
      if (owner.status === 'none' || grant.status === 'none' || grant.status === 'denied') return refuse('unknown_grant');
      if (grant.terms.account !== task.account) return refuse('unknown_grant');
      // Before its standing is asked for, which for what stands on other tokens takes more than was loaded (RFC 8693).
      if (isPinned(grant)) return refuse('context_pinned');
      const account = foldAccount(loaded, task.account);
      const { document } = owner;
      if (standingContext(document, { ...grant, context }, account) === null) return refuse('unknown_context');
      const previous = standingContext(document, grant, account);
      const standing = grantStanding(loaded, grant);
      const { events, refusal } = grantDecider.decide({ type: 'select_context', context, standing }, grant);
      if (refusal !== undefined) {
        const why = refusalOf[refusal];
        if (why === null) throw new Error(`the choice of a context was refused with ${refusal}`);
        return refuse(why);
      }
      const { client, session } = grant.terms;
      return {
        commit: commitOn(loaded, by, {
          writes: [{ streamId: grantId, events }],
          reads: [platformStream, client, task.account, ...(session === null ? [] : [session])],
        }),
        outcome: { outcome: 'selected', context, previous },
      };
    },
  });
  return outcome;
};
