import type { Actor, RecordedEvent } from '@grantlog/eventsourcing';
import type { By } from './provisioning.ts';

/**
 * How somebody records what an event led to: it names the event's commit as its cause and goes on with its correlation, so that a
 * chain is found from either end.
 */
export const causedBy = (actor: Actor, { commitId, correlationId }: Pick<RecordedEvent, 'commitId' | 'correlationId'>): By => ({
  actor,
  correlationId,
  causationId: commitId,
});
