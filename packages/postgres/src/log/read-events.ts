import type { Actor, CommitId, PlatformId, RecordedEvent, StreamId } from '@grantlog/eventsourcing';
import type pg from 'pg';

/** A row of the event table, as {@link eventColumns} reads it. */
export type EventRow = {
  readonly platform: PlatformId;
  readonly stream_id: StreamId;
  readonly version: number;
  readonly position: number;
  readonly commit_id: CommitId;
  readonly type: string;
  readonly schema_version: number;
  readonly data: object;
  readonly personal: Buffer | null;
  readonly actor: Actor;
  readonly correlation_id: string;
  readonly causation_id: string | null;
  readonly recorded_ms: number;
};

export const eventColumns = `platform, stream_id, version, position, commit_id, type, schema_version, data, personal, actor,
  correlation_id, causation_id, (extract(epoch from recorded_at) * 1000)::float8 as recorded_ms`;

export const toEvent = (row: EventRow): RecordedEvent => ({
  platform: row.platform,
  streamId: row.stream_id,
  version: row.version,
  position: row.position,
  commitId: row.commit_id,
  type: row.type,
  schemaVersion: row.schema_version,
  data: row.data,
  personal: row.personal,
  actor: row.actor,
  correlationId: row.correlation_id,
  causationId: row.causation_id,
  recordedAt: row.recorded_ms,
});

/** The position of the last event of a platform's log, or its floor; 0 for a new one. */
export const readHead = async (client: pg.Pool | pg.ClientBase, platform: PlatformId): Promise<number> => {
  const { rows } = await client.query<{ head: number }>(
    `select greatest(floor, (select position from event e where e.platform = l.platform order by position desc limit 1)) as head
     from log l where platform = $1`,
    [platform],
  );
  return rows[0]?.head ?? 0;
};

/** Events of one platform after a position, in order, at most `limit`. */
export const readEventsAfter = async (
  client: pg.Pool | pg.ClientBase,
  options: { readonly platform: PlatformId; readonly after: number; readonly limit: number },
): Promise<readonly RecordedEvent[]> => {
  const { rows } = await client.query<EventRow>({
    name: 'grantlog.read-after',
    text: `select ${eventColumns} from event where platform = $1 and position > $2 order by position limit $3`,
    values: [options.platform, options.after, options.limit],
  });
  return rows.map(toEvent);
};

/** The event at a position; null where none stands there: not yet, or no longer, as it is archived. */
export const readEventAt = async (
  client: pg.Pool | pg.ClientBase,
  { platform, position }: { readonly platform: PlatformId; readonly position: number },
): Promise<RecordedEvent | null> => {
  const [event] = await readEventsAfter(client, { platform, after: position - 1, limit: 1 });
  return event?.position === position ? event : null;
};

/** The event at one place of one stream; null where none stands. */
export const readStreamEvent = async (
  client: pg.Pool | pg.ClientBase,
  options: { readonly platform: PlatformId; readonly streamId: StreamId; readonly version: number },
): Promise<RecordedEvent | null> => {
  const { rows } = await client.query<EventRow>({
    name: 'grantlog.read-stream-event',
    text: `select ${eventColumns} from event where platform = $1 and stream_id = $2 and version = $3`,
    values: [options.platform, options.streamId, options.version],
  });
  return rows.map(toEvent)[0] ?? null;
};

/** Every event of one stream, in order, as the log holds them. */
export const readStream = async (
  client: pg.Pool | pg.ClientBase,
  options: { readonly platform: PlatformId; readonly streamId: StreamId },
): Promise<readonly RecordedEvent[]> => {
  const { rows } = await client.query<EventRow>(
    `select ${eventColumns} from event where platform = $1 and stream_id = $2 order by version`,
    [options.platform, options.streamId],
  );
  return rows.map(toEvent);
};
