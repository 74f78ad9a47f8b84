import type { GrantId, GrantRefusal } from '@grantlog/domain';
import { grantDecider } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { readFirstEvents } from '@grantlog/postgres';
import type { Changed } from './change.ts';
import { change } from './change.ts';
import type { By, Provisioning } from './provisioning.ts';
import { forgetConsent, memoryOfGrant } from './remembered-consent.ts';

/**
 * Whether a stream is a grant's. Sessions and sign-ins have ids of the same shape, and a snapshot does not say whose
 * state it is: only the first event does.
 */
export const isGrant = async (
  context: Pick<Provisioning, 'pool'>,
  of: { readonly platform: PlatformId; readonly id: GrantId },
): Promise<boolean> => {
  const first = (await readFirstEvents(context.pool, { platform: of.platform, streamIds: [of.id] })).get(of.id);
  return first?.type.startsWith('grant.') ?? false;
};

/** Ends a grant and all its tokens by an operator's hand, and forgets the consent to it. One that has ended already stays as it ended. */
export const revokeGrant = async (
  context: Provisioning,
  by: By,
  task: { readonly platform: PlatformId; readonly grant: GrantId },
): Promise<Changed<GrantRefusal>> => {
  const { platform, grant } = task;
  if (!(await isGrant(context, { platform, id: grant }))) return { refusal: 'unknown_grant' };
  const names = await context.directory.open(platform);
  const found = fold(grantDecider, (await context.log.load(platform, [{ streamId: grant }])).stream(grant));
  const memory = names === null ? null : memoryOfGrant(names, found);
  return change(context, by, {
    platform,
    requests: [{ streamId: grant }, ...(memory === null ? [] : [{ streamId: memory }])],
    decide: (loaded) => {
      // The actor of the commit says who; `by` is for streams of the same platform, which an operator's is not.
      const { events, refusal } = grantDecider.decide(
        { type: 'revoke', reason: 'by_operator', by: null },
        fold(grantDecider, loaded.stream(grant)),
      );
      if (refusal === 'grant_ended') return { writes: [] };
      if (refusal !== undefined) return { refusal };
      // The grant's event is the last one: a receipt of the revocation is a receipt of the position that is answered.
      return { writes: [...(memory === null ? [] : [forgetConsent(loaded, memory)]), { streamId: grant, events }] };
    },
  });
};
