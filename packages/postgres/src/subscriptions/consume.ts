import type pg from 'pg';
import { transaction } from '../connection/transaction.ts';
import { readOn } from '../log/read-on.ts';
import type { Claim } from './claim.ts';
import { claimSubscription, moveCheckpoint, recordFailure } from './claim.ts';
import type { ReadAhead } from './read-ahead.ts';
import type { Subscription, SubscriptionBatch } from './subscription.ts';

export type ConsumeOutcome =
  | { readonly kind: 'idle' }
  | { readonly kind: 'consumed'; readonly claim: Claim; readonly events: number; readonly position: number }
  | { readonly kind: 'failed'; readonly claim: Claim; readonly error: unknown };

/** What a checkpoint failed with that was moved without waiting, where that is why its transaction failed. */
const whyNotMoved = (moving: Promise<void> | null, caught: unknown): Promise<unknown> =>
  moving === null
    ? Promise.resolve(caught)
    : moving.then(
        () => caught,
        (error: unknown) => error,
      );

/**
 * Claims one subscription that is behind, hands it one batch, and commits effect and checkpoint together.
 *
 * @param readAhead of a loop that calls again and again; without it each batch is read when it is claimed.
 */
export const consumeOnce = async (
  pool: pg.Pool,
  subscriptions: readonly Subscription[],
  readAhead?: ReadAhead,
): Promise<ConsumeOutcome> => {
  const byName = new Map(subscriptions.map((subscription) => [subscription.name, subscription]));
  let claim: Claim | null = null;
  let batch: SubscriptionBatch | null = null;
  let moving: Promise<void> | null = null;
  let reached = 0;
  try {
    await transaction(
      pool,
      async (client) => {
        claim = await claimSubscription(client, [...byName.keys()]);
        if (claim === null) return;
        const subscription = byName.get(claim.name);
        if (subscription === undefined) throw new Error(`no subscription is named ${claim.name}`);
        const next = { platform: claim.platform, after: claim.position, limit: subscription.batchLimit ?? 500 };
        const { events, archived, through } = (await readAhead?.take(next)) ?? (await readOn(client, next));
        if (through === claim.position) return;
        if (events.length === next.limit) readAhead?.follow(next, through);
        batch = { platform: claim.platform, events, archived };
        if (events.length > 0 || subscription.takesArchived === true) await subscription.handle(client, batch);
        // Not awaited: it travels with the commit, which fails where it fails.
        moving = moveCheckpoint(client, claim, through);
        reached = through;
        moving.catch(() => {});
      },
      // Effect and checkpoint are kept or forgotten together.
      'repeatable',
    );
  } catch (caught) {
    const error = await whyNotMoved(moving, caught);
    // The assignments above happen in the callback, which the compiler does not follow.
    const failed = claim as Claim | null;
    if (failed === null) throw error;
    await recordFailure(pool, failed, error instanceof Error ? `${error.name}: ${error.message}` : String(error)).catch(() => {});
    return { kind: 'failed', claim: failed, error };
  }
  const done = claim as Claim | null;
  const consumed = batch as SubscriptionBatch | null;
  if (done === null || consumed === null) return { kind: 'idle' };
  if (consumed.events.length > 0) await byName.get(done.name)?.afterCommit?.(consumed);
  return { kind: 'consumed', claim: done, events: consumed.events.length, position: reached };
};
