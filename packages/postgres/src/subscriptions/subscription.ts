import type { PlatformId, RecordedEvent } from '@grantlog/eventsourcing';
import type pg from 'pg';
import type { ArchivedLeaf } from '../archive/archived-leaves.ts';

/**
 * A consumer of the log. Its whole state is one position a platform; the checkpoint commits with the effect.
 * `handle` gets events in order, without a gap but what is archived, and works inside the given transaction only.
 */
export type Subscription = {
  /** Unique name; also the key of its checkpoints. */
  readonly name: string;
  /** Most events in one transaction. Default 500. */
  readonly batchLimit?: number;
  /** Whether it is also given batches of which every event is archived. Default false: there is nothing in them for most. */
  readonly takesArchived?: boolean;
  readonly handle: (client: pg.PoolClient, batch: SubscriptionBatch) => Promise<void>;
  /** Called after the commit of a batch, outside its transaction: for wake-ups that may be lost. */
  readonly afterCommit?: (batch: SubscriptionBatch) => void | Promise<void>;
};

export type SubscriptionBatch = {
  readonly platform: PlatformId;
  readonly events: readonly RecordedEvent[];
  /** What stood between and before these events and is archived by now. */
  readonly archived: readonly ArchivedLeaf[];
};
