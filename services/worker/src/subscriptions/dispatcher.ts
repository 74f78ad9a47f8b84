import type { PlatformId } from '@grantlog/eventsourcing';
import type { EndpointLane, Message, Subscription, SubscriptionBatch } from '@grantlog/postgres';
import type { DeliveryQueue } from '../queue/delivery-queue.ts';
import type { RoutesMemory } from '../webhooks/routing.ts';
import { type Dispatched, dispatchBatch } from './dispatch-batch.ts';

/**
 * Event × endpoints that want it → deliveries, in the transaction of the checkpoint. After the commit each endpoint and
 * lane is woken, as is whoever waits for news; a wake-up that is lost is made up for by the sweeper, or by their own polls.
 */
export const createDispatcher = (options: {
  readonly queue: Pick<DeliveryQueue, 'wake'>;
  readonly onWakeFailed: (error: unknown) => void;
  /** The endpoints that this very process serves or can serve: they hear of it at once, and what they are told is at hand. */
  readonly own?: {
    readonly told: (messages: Iterable<Message & { readonly platform: string }>) => void;
    /** False where somebody else has to be woken. */
    readonly wake: (lane: EndpointLane) => boolean;
  };
  /** Told of a platform on which something was told. */
  readonly onTold?: (platform: PlatformId) => void;
}): Subscription => {
  const memory: RoutesMemory = new Map();
  const dispatched = new WeakMap<SubscriptionBatch, Dispatched>();
  return {
    name: 'dispatcher',
    batchLimit: 500,
    handle: async (client, batch) => {
      dispatched.set(batch, await dispatchBatch(client, { ...batch, memory }));
    },
    afterCommit: (batch) => {
      const { woken = [], messages = [] } = dispatched.get(batch) ?? {};
      options.own?.told(messages);
      options.onTold?.(batch.platform);
      // Not awaited: a queue that is away must not hold the log's consumers up.
      options.queue.wake(woken.filter((lane) => options.own?.wake(lane) !== true)).catch(options.onWakeFailed);
    },
  };
};
