import type { AppendResult, Commit, PlatformId, StreamId } from '@grantlog/eventsourcing';
import { LogUnavailable } from '@grantlog/eventsourcing';
import { classifyFailure, toLogError } from './failures.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

type Waiting = {
  readonly commit: Commit;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: Error) => void;
};

/** `pumping` outlasts `inFlight` by a turn, in which those who were answered may come back. */
type PlatformQueue = { waiting: Waiting[]; pumping: boolean; inFlight: boolean };

export type AppendQueueOptions = {
  /** One round trip to the log. */
  readonly send: (platform: PlatformId, commits: readonly Commit[]) => Promise<readonly AppendResult[]>;
  /** Most commits in one batch. Default 256. */
  readonly batchLimit?: number;
  /** Most commits waiting for one platform; one more is refused at once. Default 4,096. */
  readonly queueLimit?: number;
  /** Milliseconds for which an unknown outcome is asked again. Default 10,000. */
  readonly askAgainFor?: number;
  /** Called after every answer, with the platform, when at least one commit was appended. */
  readonly onAppended?: (platform: PlatformId) => void;
};

/**
 * Micro-batching: at most one append in flight a platform; commits that arrive meanwhile form the next batch.
 * Serialising costs nothing, because a batch costs one fsync.
 */
export const createAppendQueue = (options: AppendQueueOptions) => {
  const { send, batchLimit = 256, queueLimit = 4_096, askAgainFor = 10_000 } = options;
  const queues = new Map<PlatformId, PlatformQueue>();

  /**
   * The same bytes until answered: the commit ids make a second asking recognise the first. Never decided again,
   * for a second decision would see its own first as a replay.
   */
  const sendUntilAnswered = async (platform: PlatformId, commits: readonly Commit[]): Promise<readonly AppendResult[]> => {
    const deadline = performance.now() + askAgainFor;
    for (let pause = 20; ; pause = Math.min(pause * 2, 500)) {
      try {
        return await send(platform, commits);
      } catch (error) {
        if (classifyFailure(error) !== 'unknown' || performance.now() + pause > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  };

  const sendBatch = async (platform: PlatformId, batch: readonly Waiting[]): Promise<void> => {
    try {
      const results = await sendUntilAnswered(
        platform,
        batch.map((waiting) => waiting.commit),
      );
      refuseOvertaken(platform, batch, results);
      for (const [index, waiting] of batch.entries()) waiting.resolve(results[index] ?? { outcome: 'conflict' });
      if (results.some((result) => result.outcome === 'appended')) options.onAppended?.(platform);
    } catch (error) {
      if (classifyFailure(error) === 'refused' && batch.length > 1) {
        // One bad value must not cost its neighbours: resend commit by commit.
        for (const waiting of batch) await sendBatch(platform, [waiting]);
        return;
      }
      const explained = toLogError(error);
      for (const waiting of batch) waiting.reject(explained);
    }
  };

  /** A waiting commit that expects less than an answer has just shown is lost already; the log need not be asked. */
  const refuseOvertaken = (platform: PlatformId, batch: readonly Waiting[], results: readonly AppendResult[]): void => {
    const queue = queues.get(platform);
    if (queue === undefined || queue.waiting.length === 0) return;
    const known = new Map<StreamId, number>();
    batch.forEach(({ commit }, index) => {
      if (results[index]?.outcome !== 'appended') return;
      for (const write of commit.writes) known.set(write.streamId, write.expected + write.events.length);
    });
    queue.waiting = queue.waiting.filter(({ commit, resolve }) => {
      const overtaken = [...commit.writes, ...commit.reads].some(({ streamId, expected }) => expected < (known.get(streamId) ?? 0));
      if (overtaken) resolve({ outcome: 'conflict' });
      return !overtaken;
    });
  };

  const nextBatch = (queue: PlatformQueue): Waiting[] => {
    const written = new Set<StreamId>();
    const touched = new Set<StreamId>();
    const batch: Waiting[] = [];
    const left: Waiting[] = [];
    for (const waiting of queue.waiting) {
      const { writes, reads } = waiting.commit;
      const clashes =
        batch.length >= batchLimit ||
        writes.some(({ streamId }) => touched.has(streamId)) ||
        reads.some(({ streamId }) => written.has(streamId));
      if (clashes) {
        left.push(waiting);
        continue;
      }
      batch.push(waiting);
      for (const { streamId } of writes) {
        written.add(streamId);
        touched.add(streamId);
      }
      for (const { streamId } of reads) touched.add(streamId);
    }
    queue.waiting = left;
    return batch;
  };

  const pump = async (platform: PlatformId, queue: PlatformQueue): Promise<void> => {
    if (queue.pumping) return;
    queue.pumping = true;
    // After the current turn: commits that arrive together, or were answered together and come back, travel together.
    await nextTurn();
    while (queue.waiting.length > 0) {
      queue.inFlight = true;
      await sendBatch(platform, nextBatch(queue));
      queue.inFlight = false;
      await nextTurn();
    }
    queue.pumping = false;
  };

  return {
    append: (platform: PlatformId, commit: Commit): Promise<AppendResult> =>
      new Promise((resolve, reject) => {
        if (!commit.writes.some((write) => write.events.length > 0)) throw new TypeError('a commit has at least one event');
        const queue = queues.get(platform) ?? { waiting: [], pumping: false, inFlight: false };
        queues.set(platform, queue);
        if (queue.waiting.length >= queueLimit) {
          reject(new LogUnavailable(`${queueLimit} commits wait for the log of ${platform} already`));
          return;
        }
        queue.waiting.push({ commit, resolve, reject });
        void pump(platform, queue);
      }),
    /** Commits not yet answered. */
    depth: (): number => [...queues.values()].reduce((sum, queue) => sum + queue.waiting.length + (queue.inFlight ? 1 : 0), 0),
  };
};
