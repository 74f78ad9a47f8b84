import type { PlatformId, StreamId } from '@grantlog/eventsourcing';

/** Revocations, other first attempts, retries: a storm of the latter must not delay the former. */
export const lanes = [0, 1, 2] as const;
export type Lane = (typeof lanes)[number];
export const revocationLane = 0 satisfies Lane;
export const firstLane = 1 satisfies Lane;

export type DeliveryState = 'pending' | 'claimed' | 'delivered' | 'failed' | 'abandoned';

/** One endpoint's share of the work: what a wake-up names. */
export type EndpointLane = { readonly platform: PlatformId; readonly endpoint: StreamId; readonly lane: Lane };

export type NewDelivery = {
  readonly platform: PlatformId;
  /** Made from event and endpoint, so that a second dispatch of the same event inserts nothing. */
  readonly id: string;
  readonly endpoint: StreamId;
  readonly lane: Lane;
  /** The stream the event is about: a grant, an account, a client, the endpoint itself. */
  readonly subject: StreamId;
  readonly position: number;
  readonly type: string;
  readonly renderer: number;
  /** The request's body, fixed from here on. */
  readonly body: string;
};
