import type { EventLog, Loaded, LoadedStream, LoadRequest, PlatformId, StreamId } from '@grantlog/eventsourcing';
import type pg from 'pg';
import { appendBatch } from './append-batch.ts';
import { createAppendQueue } from './append-queue.ts';
import type { RawLoad, RawStream, StreamRequest } from './load-batch.ts';
import { loadBatch, streamKey } from './load-batch.ts';
import { createLoadQueue } from './load-queue.ts';
import { createNotifier, logChannel } from './notifier.ts';
import type { SnapshotSealer } from './snapshot-mac.ts';
import { isGenuine } from './snapshot-mac.ts';

export type PostgresEventLogOptions = {
  /** The primary, never a replica: decisions are made from what this pool reads. */
  readonly pool: pg.Pool;
  /** The version of the domain's folds; snapshots of another version are not seen. */
  readonly foldVersion: number;
  readonly sealer: SnapshotSealer;
  /** Told when a snapshot's MAC does not fit: somebody edited the row. The stream is then read from its first event. */
  readonly onTampered?: (found: { readonly platform: PlatformId; readonly streamId: StreamId }) => void;
  readonly askAgainFor?: number;
  /** Milliseconds that an append waits before it is found out who is in its way; less than its `lock_timeout`. */
  readonly patience?: number;
};

/** The log on Postgres: batched loads of snapshot and tail, micro-batched appends, wake-ups after them. */
export const createPostgresEventLog = (
  options: PostgresEventLogOptions,
): EventLog & { readonly stop: () => void; readonly depth: () => number } => {
  const { pool, foldVersion, sealer } = options;
  const askAgain = options.askAgainFor === undefined ? {} : { askAgainFor: options.askAgainFor };
  const notifier = createNotifier(pool, logChannel);
  const appends = createAppendQueue({
    ...askAgain,
    send: (platform, commits) => appendBatch(pool, platform, commits, options.patience),
    onAppended: notifier.notify,
  });

  /** Snapshots that somebody edited are passed over: those streams are read whole, in the same instant as each other. */
  const loadGenuine = async (requests: readonly StreamRequest[]): Promise<RawLoad> => {
    const raw = await loadBatch(pool, requests, { foldVersion, useSnapshots: true });
    const forged = [...raw.streams.values()].filter(({ stored }) => stored !== null && !isGenuine(sealer, stored, foldVersion));
    if (forged.length === 0) return raw;
    for (const { platform, streamId } of forged) options.onTampered?.({ platform, streamId });
    return loadBatch(pool, requests, { foldVersion, useSnapshots: false });
  };
  const loads = createLoadQueue({ ...askAgain, send: loadGenuine });

  return {
    append: appends.append,
    load: async (platform, requests) => {
      if (requests.length === 0) throw new TypeError('a load names at least one stream');
      const raw = await loads.load(requests.map((request) => toStreamRequest(platform, request)));
      return { now: raw.now, stream: (id) => toLoadedStream(raw.streams.get(streamKey(platform, id)), id) } satisfies Loaded;
    },
    stop: notifier.stop,
    depth: appends.depth,
  };
};

const toStreamRequest = (platform: PlatformId, request: LoadRequest): StreamRequest => ({
  platform,
  streamId: request.streamId,
  follow: request.follow ?? false,
  withSecrets: request.withSecrets ?? false,
});

/** @throws Error for a stream that was neither asked for nor named: reading it as empty would decide on nothing. */
const toLoadedStream = (raw: RawStream | undefined, streamId: StreamId): LoadedStream => {
  if (raw === undefined) throw new Error(`stream ${streamId} was not loaded`);
  const { stored, events, credentials, dataKey } = raw;
  return {
    streamId,
    version: events.at(-1)?.version ?? stored?.version ?? 0,
    snapshot: stored === null ? null : { version: stored.version, state: JSON.parse(stored.state) },
    events,
    credentials,
    dataKey,
  };
};
