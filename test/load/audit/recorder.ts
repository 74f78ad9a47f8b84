import { randomUuid } from '@grantlog/crypto';
import type { Actor, CommitId, EventLog, PlatformId } from '@grantlog/eventsourcing';
import type { Stream, Write } from './stream.ts';

/** A request of somebody: what its commits have in common. */
export type Request = { readonly actor: Actor; readonly correlationId: string; readonly causationId?: CommitId };

/** What a request comes to, or why to nothing. */
export type Intent = {
  readonly writes: readonly Write[];
  /** Streams that were only read: their versions are part of the decision. */
  readonly reads: readonly Pick<Stream<unknown, never, string>, 'id' | 'version'>[];
  readonly refusal?: string | null;
};

/** `commitId` is null where nothing was recorded. */
export type Outcome = { readonly commitId: CommitId | null; readonly refusal: string | null };

/** A correlation id as the services spell it: a sampled `traceparent` that a UUID begins. */
const newTrace = (): string => {
  const digits = randomUuid().replaceAll('-', '');
  return `00-${digits}-${digits.slice(16)}-01`;
};

export const requestOf = (actor: Actor, cause?: CommitId | null): Request => ({
  actor,
  correlationId: newTrace(),
  ...(cause === undefined || cause === null ? {} : { causationId: cause }),
});

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Appends what is decided, and decides anew where somebody else was faster, as the services do. */
export const createRecorder = (of: {
  readonly log: EventLog;
  readonly platform: PlatformId;
  readonly onRecorded: (events: number) => void;
}) => ({
  record: async (request: Request, decide: () => Intent): Promise<Outcome> => {
    for (;;) {
      const { writes: decided, reads, refusal = null } = decide();
      const writes = decided.filter(({ events }) => events.length > 0);
      if (writes.length === 0) return { commitId: null, refusal };
      const commitId = randomUuid() as CommitId;
      const written = new Set(writes.map(({ streamId }) => streamId));
      const result = await of.log.append(of.platform, {
        ...request,
        commitId,
        writes: writes.map(({ streamId, expected, events }) => ({ streamId, expected, events })),
        reads: reads.filter(({ id }) => !written.has(id)).map(({ id, version }) => ({ streamId: id, expected: version() })),
      });
      if (result.outcome === 'conflict') {
        // Whoever was faster folds its own answer first.
        await nextTurn();
        continue;
      }
      let { position } = result;
      for (const { events, recorded } of writes) {
        recorded({ position, recordedAt: result.recordedAt });
        position += events.length;
      }
      of.onRecorded(position - result.position);
      return { commitId, refusal };
    }
  },
});

export type Recorder = ReturnType<typeof createRecorder>;
