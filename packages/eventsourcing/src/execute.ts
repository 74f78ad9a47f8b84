import type { Appended, Commit, EventLog, Loaded, LoadRequest } from './event-log.ts';
import { LogUnavailable } from './event-log.ts';
import type { PlatformId } from './ids.ts';

/** What a decision comes to: a commit to append (or none) and the outcome for the caller. */
export type Plan<Outcome> = { readonly commit: Commit | null; readonly outcome: Outcome };

export type Executed<Outcome> = { readonly outcome: Outcome; readonly appended: Appended | null; readonly loaded: Loaded };

/** A conflict means that somebody else progressed, so this bound is reached only by a hot stream or a defect. */
const attemptLimit = 128;

/**
 * Load, decide, append; on a conflict, load and decide anew.
 *
 * `decide` is pure and may run several times. A plan without a commit is answered from the load alone.
 * An append whose outcome is unknown is asked again with the same bytes inside the log, never decided again here.
 *
 * @throws LogUnavailable when conflicts do not end or the log does not answer.
 */
export const execute = async <Outcome>(task: {
  readonly log: EventLog;
  readonly platform: PlatformId;
  readonly requests: readonly LoadRequest[];
  readonly decide: (loaded: Loaded) => Plan<Outcome> | Promise<Plan<Outcome>>;
}): Promise<Executed<Outcome>> => {
  for (let attempt = 0; attempt < attemptLimit; attempt += 1) {
    const loaded = await task.log.load(task.platform, task.requests);
    const { commit, outcome } = await task.decide(loaded);
    if (commit === null) return { outcome, appended: null, loaded };
    const result = await task.log.append(task.platform, commit);
    if (result.outcome === 'appended') return { outcome, appended: result, loaded };
  }
  throw new LogUnavailable(`gave up after ${attemptLimit} conflicts in a row`);
};
