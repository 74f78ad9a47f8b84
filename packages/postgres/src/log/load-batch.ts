import type { Actor, CommitId, LoadedStream, PlatformId, RecordedEvent, SealedCredential, StreamId } from '@grantlog/eventsourcing';
import type pg from 'pg';

const statement = {
  name: 'grantlog.load',
  text: `select kind, platform, stream_id, version, event_position, commit_id, type, schema_version, body, bytes, actor,
    correlation_id, causation_id, recorded_ms, follows from load($1::text[], $2::uuid[], $3::bool[], $4::bool[], $5, $6)`,
  rowMode: 'array' as const,
};

type Row = readonly [
  kind: 's' | 'e' | 'c' | 'k',
  platform: PlatformId,
  streamId: StreamId,
  version: number | null,
  position: number | null,
  commitId: string | null,
  type: string | null,
  schemaVersion: number | null,
  body: string | null,
  bytes: Buffer | null,
  actor: Actor | null,
  correlationId: string | null,
  causationId: string | null,
  recordedMs: number | null,
  follows: readonly StreamId[] | null,
];

export type StreamRequest = {
  readonly platform: PlatformId;
  readonly streamId: StreamId;
  readonly follow: boolean;
  readonly withSecrets: boolean;
};

/** A row of `stream_state` as it was found, its MAC not yet checked. */
export type StoredSnapshot = {
  readonly platform: PlatformId;
  readonly streamId: StreamId;
  readonly version: number;
  readonly follows: readonly StreamId[];
  readonly state: string;
  readonly mac: Uint8Array;
};

export type RawStream = Omit<LoadedStream, 'version' | 'snapshot'> & {
  readonly platform: PlatformId;
  readonly stored: StoredSnapshot | null;
};
export type RawLoad = { readonly now: number; readonly streams: ReadonlyMap<string, RawStream> };

export const streamKey = (platform: PlatformId, streamId: StreamId): string => `${platform} ${streamId}`;

/** Loads many streams, and those they name, in one round trip: one instant of the database. */
export const loadBatch = async (
  client: pg.Pool | pg.ClientBase,
  requests: readonly StreamRequest[],
  options: { readonly foldVersion: number; readonly useSnapshots: boolean },
): Promise<RawLoad> => {
  const { rows } = await client.query<Row[]>({
    ...statement,
    values: [
      requests.map((request) => request.platform),
      requests.map((request) => request.streamId),
      requests.map((request) => request.follow),
      requests.map((request) => request.withSecrets),
      options.foldVersion,
      options.useSnapshots,
    ],
  });
  const streams = new Map<string, { -readonly [Key in keyof RawStream]: RawStream[Key] }>();
  const events = new Map<string, RecordedEvent[]>();
  const credentials = new Map<string, Map<string, SealedCredential>>();
  let now = 0;
  for (const row of rows as unknown as readonly Row[]) {
    const key = streamKey(row[1], row[2]);
    switch (row[0]) {
      case 's': {
        now = row[13] ?? now;
        const stored: StoredSnapshot | null =
          row[3] === null || row[8] === null || row[9] === null
            ? null
            : { platform: row[1], streamId: row[2], version: row[3], follows: row[14] ?? [], state: row[8], mac: row[9] };
        const known = streams.get(key);
        streams.set(key, { platform: row[1], streamId: row[2], stored, events: [], credentials: [], dataKey: known?.dataKey ?? null });
        break;
      }
      case 'e': {
        const list = events.get(key) ?? [];
        events.set(key, list);
        // A stream may be asked for and named by another at once; its rows then come twice, each time in order.
        if ((list.at(-1)?.version ?? 0) < (row[3] ?? 0)) list.push(toEvent(row));
        break;
      }
      case 'c': {
        const found = credentials.get(key) ?? new Map<string, SealedCredential>();
        credentials.set(key, found);
        if (row[5] !== null && row[6] !== null && row[9] !== null) found.set(row[5], { id: row[5], kind: row[6], sealed: row[9] });
        break;
      }
      case 'k': {
        const stream = streams.get(key);
        if (stream !== undefined) stream.dataKey = row[9];
        break;
      }
    }
  }
  for (const [key, stream] of streams) {
    stream.events = events.get(key) ?? [];
    stream.credentials = [...(credentials.get(key)?.values() ?? [])];
  }
  return { now, streams };
};

const toEvent = (row: Row): RecordedEvent => ({
  platform: row[1],
  streamId: row[2],
  version: row[3] ?? 0,
  position: row[4] ?? 0,
  commitId: (row[5] ?? '') as CommitId,
  type: row[6] ?? '',
  schemaVersion: row[7] ?? 1,
  data: JSON.parse(row[8] ?? '{}') as object,
  personal: row[9],
  actor: row[10] ?? { kind: 'system', id: 'unknown' },
  correlationId: row[11] ?? '',
  causationId: row[12],
  recordedAt: row[13] ?? 0,
});
