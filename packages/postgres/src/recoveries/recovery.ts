import type { EndpointKey } from '../deliveries/delivery.ts';

export type RecoveryKey = EndpointKey & { readonly id: string };

/** A recovery as it stands. */
export type Recovery = {
  readonly id: string;
  readonly state: 'running' | 'done' | 'cancelled';
  /** Positions of the log, both inclusive. */
  readonly from: number;
  readonly through: number;
  /** How far it has come; one less than `from` while it has not begun. */
  readonly position: number;
  readonly ratePerSecond: number;
  readonly includeDelivered: boolean;
  /** Messages looked at that concern the endpoint, and those of them that were made due. */
  readonly examined: number;
  readonly again: number;
  readonly requestedAt: Date;
  readonly finishedAt: Date | null;
};
