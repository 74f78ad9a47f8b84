import { LogUnavailable } from '@grantlog/eventsourcing';
import { classifyFailure, toLogError } from './failures.ts';
import type { RawLoad, StreamRequest } from './load-batch.ts';
import { streamKey } from './load-batch.ts';

type Waiting = {
  readonly requests: readonly StreamRequest[];
  readonly resolve: (loaded: RawLoad) => void;
  readonly reject: (error: Error) => void;
};

export type LoadQueueOptions = {
  readonly send: (requests: readonly StreamRequest[]) => Promise<RawLoad>;
  /** Loads in flight at once. Default 2: one is answered while the next is sent. */
  readonly parallel?: number;
  /** Most streams in one statement. Default 512. */
  readonly batchLimit?: number;
  /** Most loads waiting. Default 8,192. */
  readonly queueLimit?: number;
  /** Milliseconds for which a load that failed to be answered is sent again. Default 5,000. */
  readonly askAgainFor?: number;
};

/** Each stream once, with everything that any of the loads wants of it. */
const mergeRequests = (loads: readonly Waiting[]): readonly StreamRequest[] => {
  const requests = new Map<string, StreamRequest>();
  for (const request of loads.flatMap((load) => load.requests)) {
    const key = streamKey(request.platform, request.streamId);
    const known = requests.get(key);
    requests.set(
      key,
      known === undefined
        ? request
        : { ...known, follow: known.follow || request.follow, withSecrets: known.withSecrets || request.withSecrets },
    );
  }
  return [...requests.values()];
};

/**
 * Loads that are asked for while others are in flight share one statement.
 * A load joins only a statement that has not been sent, so what it sees is never older than its own beginning.
 */
export const createLoadQueue = (options: LoadQueueOptions) => {
  const { send, parallel = 2, batchLimit = 512, queueLimit = 8_192, askAgainFor = 5_000 } = options;
  let waiting: Waiting[] = [];
  let inFlight = 0;

  const sendUntilAnswered = async (requests: readonly StreamRequest[]): Promise<RawLoad> => {
    const deadline = performance.now() + askAgainFor;
    for (let pause = 20; ; pause = Math.min(pause * 2, 500)) {
      try {
        return await send(requests);
      } catch (error) {
        if (classifyFailure(error) !== 'unknown' || performance.now() + pause > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  };

  const nextBatch = (): readonly Waiting[] => {
    const distinct = new Set<string>();
    let taken = 0;
    for (const load of waiting) {
      if (taken > 0 && distinct.size + load.requests.length > batchLimit) break;
      taken += 1;
      for (const request of load.requests) distinct.add(streamKey(request.platform, request.streamId));
    }
    const loads = waiting.slice(0, taken);
    waiting = waiting.slice(taken);
    return loads;
  };

  const sendBatch = async (loads: readonly Waiting[]): Promise<void> => {
    try {
      const loaded = await sendUntilAnswered(mergeRequests(loads));
      for (const load of loads) load.resolve(loaded);
    } catch (error) {
      if (classifyFailure(error) === 'refused' && loads.length > 1) {
        // One bad request must not cost its neighbours: resend load by load.
        for (const load of loads) await sendBatch([load]);
        return;
      }
      const explained = toLogError(error);
      for (const load of loads) load.reject(explained);
    }
  };

  const pump = async (): Promise<void> => {
    if (inFlight >= parallel) return;
    inFlight += 1;
    while (waiting.length > 0) await sendBatch(nextBatch());
    inFlight -= 1;
  };

  return {
    load: (requests: readonly StreamRequest[]): Promise<RawLoad> =>
      new Promise((resolve, reject) => {
        if (waiting.length >= queueLimit) {
          reject(new LogUnavailable(`${queueLimit} loads wait already`));
          return;
        }
        waiting.push({ requests, resolve, reject });
        // After the current turn, so that requests which arrive together travel together.
        setImmediate(() => void pump());
      }),
  };
};
