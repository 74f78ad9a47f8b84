import type { EndpointLane, Lane } from '@grantlog/postgres';

/**
 * Wake-ups for endpoints and lanes. A wake-up may be lost or come twice: what is due stands in Postgres, and the sweeper
 * asks again. Wake-ups that arrive while one is waiting become one; one that arrives during the work leads to another. Many
 * endpoints are woken together, and then an endpoint may stand in several wake-ups at a time: its turn is one all the same.
 */
export type DeliveryQueue = {
  /** Rejects when the queue does not take it; nothing is lost by that. */
  readonly wake: (lanes: readonly EndpointLane[]) => Promise<void>;
  /** Starts to hand out wake-ups, each to one handler at a time for each endpoint in it. */
  readonly work: (handler: (lane: EndpointLane) => Promise<void>) => void;
  /** Wake-ups that wait or are being handled, by lane. */
  readonly depth: () => Promise<readonly { readonly lane: Lane; readonly wakes: number }[]>;
  /** Rejects while the queue cannot be reached. */
  readonly check: () => Promise<void>;
  /** Hands out nothing more; resolves once its handlers have finished. What nobody has taken is another process's. */
  readonly rest: () => Promise<void>;
  /** Lets handlers finish and gives every connection back. */
  readonly close: () => Promise<void>;
};

export type DeliveryQueueOptions = {
  /** Handlers of each lane that one process runs side by side. */
  readonly concurrency: number;
  readonly onError: (error: Error) => void;
};
