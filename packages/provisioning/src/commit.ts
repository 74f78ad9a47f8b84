import { randomUuid } from '@grantlog/crypto';
import type { Commit, CommitId, Loaded, NewEvent, StreamId } from '@grantlog/eventsourcing';
import type { By } from './provisioning.ts';

/** A commit that writes to one or more loaded streams and depends on others as they were loaded; null when nothing is to be written. */
export const commitOn = (
  loaded: Loaded,
  by: By,
  changes: {
    readonly writes: readonly { readonly streamId: StreamId; readonly events: readonly NewEvent[] }[];
    readonly reads?: readonly StreamId[];
  },
): Commit | null => {
  const writes = changes.writes.filter((write) => write.events.length > 0);
  if (writes.length === 0) return null;
  const written = new Set(writes.map((write) => write.streamId));
  return {
    commitId: randomUuid() as CommitId,
    writes: writes.map((write) => ({ ...write, expected: loaded.stream(write.streamId).version })),
    reads: [...new Set(changes.reads ?? [])]
      .filter((streamId) => !written.has(streamId))
      .map((streamId) => ({ streamId, expected: loaded.stream(streamId).version })),
    actor: by.actor,
    correlationId: by.correlationId,
    ...(by.causationId === undefined ? {} : { causationId: by.causationId }),
  };
};
