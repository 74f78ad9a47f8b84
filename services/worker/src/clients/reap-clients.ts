import { type ClientStreamId, clientDecider, type PlatformDocument, platformDecider, platformStream } from '@grantlog/domain';
import { type EventLog, execute, fold, type Loaded, type PlatformId } from '@grantlog/eventsourcing';
import { listPlatforms, type Pool } from '@grantlog/postgres';
import { commitOn } from '@grantlog/provisioning';
import { listUnusedClients } from '@grantlog/read-models';
import { causedByLastOf } from '../causes.ts';

type Context = { readonly log: EventLog; readonly pool: Pool };

const actor = { kind: 'system', id: 'reaper' } as const;
const day = 86_400;

const documentOf = (loaded: Loaded): PlatformDocument | null => {
  const state = fold(platformDecider, loaded.stream(platformStream));
  return state.status === 'none' ? null : state.document;
};

/** Ends one client, unless the log knows better than the list that named it: somebody may just have granted it something. */
const reap = async ({ log, pool }: Context, platform: PlatformId, client: ClientStreamId): Promise<boolean> => {
  const { appended } = await execute({
    log,
    platform,
    requests: [{ streamId: platformStream }, { streamId: client }],
    decide: async (loaded) => {
      const document = documentOf(loaded);
      const seconds = (document?.registration.unusedClientDays ?? Number.POSITIVE_INFINITY) * day;
      const { events, refusal } = clientDecider.decide(
        { type: 'reap', now: loaded.now, seconds },
        fold(clientDecider, loaded.stream(client)),
      );
      if (refusal !== undefined || events.length === 0) return { commit: null, outcome: null };
      const by = await causedByLastOf(pool, actor, { platform, stream: loaded.stream(client) });
      return { commit: commitOn(loaded, by, { writes: [{ streamId: client, events }], reads: [platformStream] }), outcome: null };
    },
  });
  return appended !== null;
};

const reapOn = async (context: Context, platform: PlatformId, limit: number): Promise<number> => {
  const loaded = await context.log.load(platform, [{ streamId: platformStream }]);
  const document = documentOf(loaded);
  if (document === null) return 0;
  const registeredBefore = new Date(loaded.now - document.registration.unusedClientDays * day * 1000);
  const clients = await listUnusedClients(context.pool, { platform, registeredBefore, limit });
  const reaped = await Promise.all(clients.map((client) => reap(context, platform, client)));
  return reaped.filter(Boolean).length;
};

/**
 * Ends clients that registered themselves and that nobody has granted anything for as long as their platform waits. Where a
 * grant comes at the same time, one of the two appends loses and decides anew: what was granted stays.
 *
 * @param context.limit of each platform, at a time.
 * @returns how many ended.
 * @throws AggregateError when a platform could not be looked at; the others have been.
 */
export const reapClients = async (context: Context & { readonly limit: number }): Promise<number> => {
  let reaped = 0;
  const failures: unknown[] = [];
  for (const platform of await listPlatforms(context.pool)) {
    try {
      reaped += await reapOn(context, platform, context.limit);
    } catch (error) {
      // Trouble with one platform keeps none of the others waiting.
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'unused clients could not be ended on every platform');
  return reaped;
};
