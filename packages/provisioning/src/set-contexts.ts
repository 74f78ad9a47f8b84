import type { AccountId, AccountRefusal } from '@grantlog/domain';
import { accountDecider, isContextId, platformDecider, platformStream } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { type AccountContext, readContexts } from './account-contexts.ts';
import type { Changed } from './change.ts';
import { change } from './change.ts';
import { sealPersonalOf } from './personal-data.ts';
import type { By, Provisioning } from './provisioning.ts';

export type ContextsRefusal = 'unknown_platform' | 'no_contexts' | 'malformed_context' | 'context_twice' | AccountRefusal;

const isSame = (held: readonly AccountContext[], wanted: readonly AccountContext[]): boolean =>
  held.length === wanted.length && held.every(({ id, name }, index) => id === wanted[index]?.id && name === wanted[index].name);

/**
 * Sets everything that grants of an account may be for, in the order in which its owner is offered it. What the contexts
 * are called is sealed under the account's key and erased with it; their ids are pseudonyms. Asking again for the same
 * records nothing.
 *
 * @throws LogUnavailable
 */
export const setContexts = async (
  context: Provisioning,
  by: By,
  task: { readonly platform: PlatformId; readonly account: AccountId; readonly contexts: readonly AccountContext[] },
): Promise<Changed<ContextsRefusal>> => {
  const { platform, account, contexts } = task;
  const { sealer } = context;
  const ids = contexts.map(({ id }) => id);
  if (!ids.every(isContextId)) return { refusal: 'malformed_context' };
  if (new Set(ids).size !== ids.length) return { refusal: 'context_twice' };
  if ((await context.directory.open(platform)) === null) return { refusal: 'unknown_platform' };
  return change<ContextsRefusal>(context, by, {
    platform,
    requests: [{ streamId: platformStream }, { streamId: account, withSecrets: true }],
    decide: (loaded) => {
      const owner = fold(platformDecider, loaded.stream(platformStream));
      if (owner.status === 'none') return { refusal: 'unknown_platform' };
      if (owner.document.contexts === null) return { refusal: 'no_contexts' };
      const stream = loaded.stream(account);
      const state = fold(accountDecider, stream);
      const { events, refusal } = accountDecider.decide({ type: 'setContexts', contexts: ids }, state);
      if (refusal !== undefined) return { refusal };
      // Its key is gone: only erasure takes it, whatever of that has been folded.
      if (stream.dataKey === null) return { refusal: 'account_erased' };
      if (isSame(readContexts(sealer, { platform, account: state, stream }), contexts)) return { writes: [] };
      const personal = sealPersonalOf(sealer, {
        platform,
        subject: account,
        wrappedKey: stream.dataKey,
        streamId: account,
        version: stream.version + 1,
        fields: Object.fromEntries(contexts.map(({ id, name }) => [id, name])),
      });
      return { writes: [{ streamId: account, events: events.map((event) => ({ ...event, personal })) }], reads: [platformStream] };
    },
  });
};
