import type { Actor, CommitId, JsonObject, PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Database } from '@grantlog/postgres';

/** An event as it stands in the log. Personal data stays sealed: only that there is some is told. */
export type AuditEvent = {
  readonly position: number;
  readonly streamId: StreamId;
  readonly version: number;
  readonly type: string;
  readonly schemaVersion: number;
  readonly data: JsonObject;
  readonly hasPersonal: boolean;
  readonly actor: Actor;
  readonly correlationId: string;
  readonly causationId: string | null;
  readonly commitId: CommitId;
  /** When the database recorded it, in milliseconds since the epoch; unlike an entry's clock it may step back. */
  readonly recordedAt: number;
};

type Row = {
  readonly position: number;
  readonly stream_id: StreamId;
  readonly version: number;
  readonly type: string;
  readonly schema_version: number;
  readonly data: JsonObject;
  readonly has_personal: boolean;
  readonly actor: Actor;
  readonly correlation_id: string;
  readonly causation_id: string | null;
  readonly commit_id: CommitId;
  readonly recorded_ms: number;
};

/** The events of a page of entries, in its order, in one statement. A place of the log where nothing stands is left out. */
export const readAuditEvents = async (
  pool: Database,
  query: { readonly platform: PlatformId; readonly entries: readonly { readonly streamId: StreamId; readonly version: number }[] },
): Promise<readonly AuditEvent[]> => {
  const { platform, entries } = query;
  if (entries.length === 0) return [];
  const { rows } = await pool.query<Row>({
    name: 'grantlog.audit-events',
    text: 'select * from audit_events($1, $2, $3)',
    values: [platform, entries.map(({ streamId }) => streamId), entries.map(({ version }) => version)],
  });
  return rows.map((row) => ({
    position: row.position,
    streamId: row.stream_id,
    version: row.version,
    type: row.type,
    schemaVersion: row.schema_version,
    data: row.data,
    hasPersonal: row.has_personal,
    actor: row.actor,
    correlationId: row.correlation_id,
    causationId: row.causation_id,
    commitId: row.commit_id,
    recordedAt: row.recorded_ms,
  }));
};
