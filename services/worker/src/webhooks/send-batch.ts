import type { AttemptRecord, ClaimedDelivery } from '@grantlog/postgres';

export type SentBatch = {
  /** In the order in which the attempts ended. */
  readonly attempts: readonly AttemptRecord[];
  /** Claimed but not begun in time; to be given back. */
  readonly unsent: readonly ClaimedDelivery[];
};

/**
 * Sends a batch with at most `concurrency` requests at once, in the batch's order.
 * Begins none when `mayBegin` says that a claim could run out before the attempt's end, or that its turn has passed.
 */
export const sendBatch = async (batch: {
  readonly deliveries: readonly ClaimedDelivery[];
  readonly concurrency: number;
  readonly mayBegin: (ended: readonly AttemptRecord[]) => boolean;
  readonly send: (delivery: ClaimedDelivery) => Promise<AttemptRecord>;
}): Promise<SentBatch> => {
  const attempts: AttemptRecord[] = [];
  const unsent: ClaimedDelivery[] = [];
  const waiting = batch.deliveries.values();
  const sender = async (): Promise<void> => {
    for (const delivery of waiting) {
      if (batch.mayBegin(attempts)) attempts.push(await batch.send(delivery));
      else unsent.push(delivery);
    }
  };
  await Promise.all(Array.from({ length: Math.min(batch.concurrency, batch.deliveries.length) }, sender));
  return { attempts, unsent };
};
