import type { EndpointLane, Subscription, SubscriptionBatch } from '@grantlog/postgres';
import type { DeliveryQueue } from '../queue/delivery-queue.ts';
import type { RoutesMemory } from '../webhooks/routing.ts';
import { dispatchBatch } from './dispatch-batch.ts';

/**
 * Event × endpoints that want it → deliveries, in the transaction of the checkpoint. After the commit each endpoint and
 * lane is woken; a wake-up that is lost is made up for by the sweeper.
 */
export const createDispatcher = (options: {
  readonly queue: Pick<DeliveryQueue, 'wake'>;
  readonly onWakeFailed: (error: unknown) => void;
}): Subscription => {
  const memory: RoutesMemory = new Map();
  const woken = new WeakMap<SubscriptionBatch, readonly EndpointLane[]>();
  return {
    name: 'dispatcher',
    batchLimit: 500,
    handle: async (client, batch) => {
      woken.set(batch, await dispatchBatch(client, { ...batch, memory }));
    },
    afterCommit: (batch) => {
      // Not awaited: a queue that is away must not hold the log's consumers up.
      options.queue.wake(woken.get(batch) ?? []).catch(options.onWakeFailed);
    },
  };
};
