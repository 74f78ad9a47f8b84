import type { PlatformId, StreamId } from '@grantlog/eventsourcing';

/** Revocations, other first attempts, retries: a storm of the latter must not delay the former. */
export const lanes = [0, 1, 2] as const;
export type Lane = (typeof lanes)[number];
export const revocationLane = 0 satisfies Lane;
export const firstLane = 1 satisfies Lane;
export const retryLane = 2 satisfies Lane;

/**
 * `held`: until its endpoint has proved its URL. `failed`: given up after the last attempt. `stopped`: the receiver wants no
 * more of it. `superseded`: a later message makes it stale. `abandoned`: its endpoint is spoken to no more.
 */
export type DeliveryState = 'held' | 'pending' | 'delivered' | 'failed' | 'stopped' | 'superseded' | 'abandoned';

export type EndpointKey = { readonly platform: PlatformId; readonly endpoint: StreamId };

/** One endpoint's share of the work: what a wake-up names. */
export type EndpointLane = EndpointKey & { readonly lane: Lane };

/** What is told of an event, the same for everybody who hears it. */
export type NewMessage = {
  readonly platform: PlatformId;
  /** The `webhook-id`. Made from event and subject, so that a second dispatch of the same event inserts nothing. */
  readonly id: string;
  readonly position: number;
  /** From 0, within the messages of one event. */
  readonly ordinal: number;
  /** The stream the event is about: a grant, a session, an account, a client, an endpoint. */
  readonly subject: StreamId;
  readonly type: string;
  readonly renderer: number;
  /** The request's body, fixed from here on. */
  readonly body: string;
  /** Of the event, milliseconds since the epoch. */
  readonly recordedAt: number;
  /** `traceparent` of what caused the event: a request, or the commit itself where none did. */
  readonly trace: string | null;
  /** Clients and sessions that may read it, besides the platform and whoever may read of its subject. */
  readonly audience: readonly StreamId[];
};

/** A message for one endpoint. */
export type NewDelivery = {
  readonly platform: PlatformId;
  readonly endpoint: StreamId;
  /** The message's. */
  readonly id: string;
  readonly lane: Lane;
  readonly position: number;
  /** The message's subject, where the endpoint wants order or nothing stale. */
  readonly line: StreamId | null;
  /** Whether its success proves the endpoint's URL. */
  readonly proves: boolean;
  readonly state: 'held' | 'pending';
};
