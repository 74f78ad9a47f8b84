import type { CommitId, PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Database } from '@grantlog/postgres';

/** An event that came of a commit, and the account that it concerns. */
export type CausedEvent = {
  readonly position: number;
  readonly streamId: StreamId;
  readonly version: number;
  readonly account: StreamId | null;
};

type Row = { readonly position: number; readonly stream_id: StreamId | null; readonly version: number; readonly account: StreamId | null };

/**
 * The events that came directly of these commits, in one statement; of what the index has come to at `through`.
 *
 * @param query.most of each commit, the first ones.
 */
export const listCausedEvents = async (
  pool: Database,
  query: { readonly platform: PlatformId; readonly causes: readonly CommitId[]; readonly most: number },
): Promise<{ readonly events: readonly CausedEvent[]; readonly through: number }> => {
  const { rows } = await pool.query<Row>({
    name: 'grantlog.audit-caused',
    text: 'select * from audit_caused($1, $2, $3)',
    values: [query.platform, query.causes, query.most],
  });
  return {
    events: rows.flatMap(({ position, stream_id: streamId, version, account }) =>
      streamId === null ? [] : [{ position, streamId, version, account }],
    ),
    through: rows.find(({ stream_id }) => stream_id === null)?.position ?? 0,
  };
};
