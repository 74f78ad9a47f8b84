import type { PlatformId, RecordedEvent, StreamId } from '@grantlog/eventsourcing';
import type pg from 'pg';
import { transaction } from '../connection/transaction.ts';
import { type EventRow, eventColumns, toEvent } from './read-events.ts';

/** The planner gets no choice: without statistics it would read a partition anew for each place. */
const oneStepEach = ['seqscan', 'bitmapscan', 'sort', 'incremental_sort', 'hashjoin', 'mergejoin', 'material', 'memoize']
  .map((each) => `set local enable_${each} to off`)
  .join('; ');

/** The events that stand at these places of their streams, in the order of their positions. A place where nothing stands is left out. */
export const readEventsAt = async (
  pool: pg.Pool,
  options: { readonly platform: PlatformId; readonly places: readonly { readonly streamId: StreamId; readonly version: number }[] },
): Promise<readonly RecordedEvent[]> => {
  const { platform, places } = options;
  if (places.length === 0) return [];
  const { rows } = await transaction(pool, async (client) => {
    await client.query(oneStepEach);
    return client.query<EventRow>({
      name: 'grantlog.read-at',
      text: `select ${eventColumns} from unnest($2::uuid[], $3::int[]) as a(of_stream, of_version)
        cross join lateral (
          select * from event e where e.platform = $1 and e.stream_id = a.of_stream and e.version >= a.of_version order by e.version limit 1
        ) e where version = a.of_version`,
      values: [platform, places.map(({ streamId }) => streamId), places.map(({ version }) => version)],
    });
  });
  return rows.map(toEvent).sort((one, other) => one.position - other.position);
};
