import { aggregateOf, foldVersion } from '@grantlog/domain';
import type { JsonValue, PlatformId, RecordedEvent, StreamId } from '@grantlog/eventsourcing';
import {
  isGenuine,
  loadBatch,
  type NewSnapshot,
  type RawStream,
  type SnapshotSealer,
  type Subscription,
  snapshotVersions,
  type Transaction,
  upsertSnapshots,
} from '@grantlog/postgres';

/** Events after a snapshot from which a new one is worth its write. */
const tailLimit = 8;

/** The streams that an event names: those that a load of its stream follows. */
const followed = ({ data }: RecordedEvent): readonly StreamId[] => {
  const named = data as { readonly [key in 'client' | 'account' | 'session' | 'owner']?: StreamId | null };
  return [named.client, named.account, named.session, named.owner].filter((id) => id !== null && id !== undefined);
};

/** Folds a loaded stream with the domain's own `evolve`, from its snapshot where that is genuine. */
const snapshotOf = (stream: RawStream): NewSnapshot | null => {
  const last = stream.events.at(-1);
  const aggregate = last === undefined ? null : aggregateOf(last.type);
  if (last === undefined || aggregate === null) return null;
  const start = stream.stored === null ? aggregate.initial : (JSON.parse(stream.stored.state) as JsonValue);
  const [first] = stream.events;
  return {
    platform: stream.platform,
    streamId: stream.streamId,
    version: last.version,
    // Only a stream's first event says what a load follows; later snapshots hand it on.
    follows: stream.stored?.follows ?? (first === undefined ? [] : followed(first)),
    state: JSON.stringify(stream.events.reduce(aggregate.evolve, start)),
  };
};

export type StreamStateOptions = {
  readonly sealer: SnapshotSealer;
  /** Told of a snapshot whose MAC does not fit: somebody edited the row. It is replaced by a fold from the first event. */
  readonly onTampered: (found: { readonly platform: PlatformId; readonly streamId: StreamId }) => void;
};

const loadGenuine = async (
  client: Transaction,
  streams: { readonly platform: PlatformId; readonly streamIds: readonly StreamId[] },
  { sealer, onTampered }: StreamStateOptions,
): Promise<readonly RawStream[]> => {
  const { platform, streamIds } = streams;
  const requestsOf = (ids: readonly StreamId[]) => ids.map((streamId) => ({ platform, streamId, follow: false, withSecrets: false }));
  const loaded = [...(await loadBatch(client, requestsOf(streamIds), { foldVersion, useSnapshots: true })).streams.values()];
  const forged = loaded.filter(({ stored }) => stored !== null && !isGenuine(sealer, stored, foldVersion));
  if (forged.length === 0) return loaded;
  for (const { streamId } of forged) onTampered({ platform, streamId });
  const ids = forged.map(({ streamId }) => streamId);
  const whole = await loadBatch(client, requestsOf(ids), { foldVersion, useSnapshots: false });
  return [...loaded.filter((stream) => !forged.includes(stream)), ...whole.streams.values()];
};

/** Keeps `stream_state` so close behind the log that a load reads a short tail. Nothing depends on it but speed. */
export const createStreamState = (options: StreamStateOptions): Subscription => ({
  name: `stream-state@${foldVersion}`,
  handle: async (client, { platform, events }) => {
    const versions = new Map(events.map((event) => [event.streamId, event.version]));
    const standing = await snapshotVersions(client, { platform, streamIds: [...versions.keys()], foldVersion });
    const due = [...versions].filter(([id, version]) => version - (standing.get(id) ?? 0) >= tailLimit).map(([id]) => id);
    if (due.length === 0) return;
    const loaded = await loadGenuine(client, { platform, streamIds: due }, options);
    const snapshots = loaded.map(snapshotOf).filter((snapshot) => snapshot !== null);
    await upsertSnapshots(client, { snapshots, foldVersion, sealer: options.sealer });
  },
});
