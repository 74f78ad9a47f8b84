import type { Loaded, LoadRequest, NewEvent, PlatformId, StreamId } from '@grantlog/eventsourcing';
import { execute } from '@grantlog/eventsourcing';
import { readHead } from '@grantlog/postgres';
import { commitOn } from './commit.ts';
import type { By, Provisioning } from './provisioning.ts';

/**
 * What a change came to. `position` is that of its last event; where nothing had to be recorded, the head of the log:
 * in both cases a list that has reached it shows what was asked for.
 */
export type Changed<Refusal extends string> = { readonly position: number; readonly changed: boolean } | { readonly refusal: Refusal };

/** What a change decides to record, and the streams that it only read; or why it refuses. */
export type Intent<Refusal extends string> =
  | { readonly refusal: Refusal }
  | {
      readonly writes: readonly { readonly streamId: StreamId; readonly events: readonly NewEvent[] }[];
      readonly reads?: readonly StreamId[];
    };

/**
 * One change of a platform: load, decide, append, and again where somebody else was faster.
 *
 * @param task.decide may run several times.
 * @throws LogUnavailable
 */
export const change = async <Refusal extends string>(
  context: Pick<Provisioning, 'log' | 'pool'>,
  by: By,
  task: {
    readonly platform: PlatformId;
    readonly requests: readonly LoadRequest[];
    readonly decide: (loaded: Loaded) => Intent<Refusal> | Promise<Intent<Refusal>>;
  },
): Promise<Changed<Refusal>> => {
  const { outcome, appended } = await execute<{ readonly refusal: Refusal } | { readonly events: number }>({
    log: context.log,
    platform: task.platform,
    requests: task.requests,
    decide: async (loaded) => {
      const intent = await task.decide(loaded);
      if ('refusal' in intent) return { commit: null, outcome: intent };
      return { commit: commitOn(loaded, by, intent), outcome: { events: intent.writes.flatMap((write) => write.events).length } };
    },
  });
  if ('refusal' in outcome) return outcome;
  if (appended === null) return { position: await readHead(context.pool, task.platform), changed: false };
  return { position: appended.position + outcome.events - 1, changed: true };
};
