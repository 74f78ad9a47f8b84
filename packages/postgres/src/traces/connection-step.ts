import type { PlatformId } from '@grantlog/eventsourcing';

/** Where on its way an attempt to connect was. */
export type ConnectionStepName = 'discovery' | 'registration' | 'push' | 'authorize' | 'consent' | 'token' | 'first_use';

/** One thing that happened on the way. Holds no token, no code, no address. */
export type ConnectionStep = {
  readonly platform: PlatformId;
  readonly step: ConnectionStepName;
  /** Null where it went well; else the error as the client got it. */
  readonly refusal: { readonly error: string; readonly detail: string } | null;
  /** Id of the request that began the attempt; null where this does not say. */
  readonly attempt: string | null;
  /** Id of the request. */
  readonly request: string;
  /** The `client_id` as it was sent; null where there was none. */
  readonly client: string | null;
  readonly grant: string | null;
  /** A MAC of the network that asked. */
  readonly visitor: Uint8Array;
  /** What the client calls itself; null where it says nothing. */
  readonly program: string | null;
};

/** A step as it was kept. */
export type KeptConnectionStep = Omit<ConnectionStep, 'platform' | 'visitor'> & {
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Hexadecimal. */
  readonly visitor: string;
};
