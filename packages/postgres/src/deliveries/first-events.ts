import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Database, Transaction } from './database.ts';

export type FirstEvent = { readonly streamId: StreamId; readonly type: string; readonly position: number; readonly data: object };

/** The first event of each of these streams, where there is one. */
export const readFirstEvents = async (
  client: Database | Transaction,
  options: { readonly platform: PlatformId; readonly streamIds: readonly StreamId[] },
): Promise<ReadonlyMap<StreamId, FirstEvent>> => {
  if (options.streamIds.length === 0) return new Map();
  const { rows } = await client.query<FirstEvent>({
    name: 'grantlog.first-events',
    text: `select e.stream_id as "streamId", e.type, e.position, e.data
      from unnest($2::uuid[]) as w(stream_id)
      cross join lateral (
        select e.stream_id, e.type, e.position, e.data from event e
        where e.platform = $1 and e.stream_id = w.stream_id and e.version = 1
      ) e`,
    values: [options.platform, options.streamIds],
  });
  return new Map(rows.map((row) => [row.streamId, row]));
};
