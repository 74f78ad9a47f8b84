import type { PlatformId, RecordedEvent, StreamId } from '@grantlog/eventsourcing';
import type { Database } from '../deliveries/database.ts';
import { type EventRow, eventColumns, toEvent } from '../log/read-events.ts';
import type { Month } from './month.ts';

/** Events of one statement. */
const chunk = 2_000;

type Of = { readonly platform: PlatformId; readonly month: Month };

/** Every event of the streams that began in a month, stream by stream, each in the order of its versions. */
export const readMonthByStream = async function* (pool: Database, { platform, month }: Of): AsyncGenerator<RecordedEvent> {
  let [stream, version]: [StreamId, number] = [month.from, 0];
  for (;;) {
    const { rows } = await pool.query<EventRow>(
      `select ${eventColumns} from ${month.table} where platform = $1 and (stream_id, version) > ($2, $3)
       order by platform, stream_id, version limit $4`,
      [platform, stream, version, chunk],
    );
    for (const row of rows) yield toEvent(row);
    const last = rows.at(-1);
    if (last === undefined) return;
    [stream, version] = [last.stream_id, last.version];
  }
};

/** Every event of the streams that began in a month, up to a position, in the order of the log. */
export const readMonth = async function* (
  pool: Database,
  { platform, month, through }: Of & { readonly through: number },
): AsyncGenerator<RecordedEvent> {
  for (let after = 0; ; ) {
    const { rows } = await pool.query<EventRow>(
      `select ${eventColumns} from ${month.table} where platform = $1 and position > $2 and position <= $3
       order by platform, position limit $4`,
      [platform, after, through, chunk],
    );
    for (const row of rows) yield toEvent(row);
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.position;
  }
};

/** The platforms with events in a month, and the last position of each that is among them. */
export const platformsOfMonth = async (pool: Database, month: Month): Promise<ReadonlyMap<PlatformId, number>> => {
  const { rows } = await pool.query<{ platform: PlatformId; last: number }>(
    `select l.platform, e.position as last from log l cross join lateral (
       select position from ${month.table} e where e.platform = l.platform order by position desc limit 1
     ) e order by l.platform`,
  );
  return new Map(rows.map(({ platform, last }) => [platform, last]));
};

/** Whether the log still has a partition of this month. */
export const hasMonth = async (pool: Database, month: Month): Promise<boolean> => {
  const { rows } = await pool.query<{ found: boolean }>(
    `select exists (select from pg_inherits where inhparent = 'event'::regclass and inhrelid = to_regclass($1)) as found`,
    [month.table],
  );
  return rows[0]?.found ?? false;
};

/**
 * Streams of a month that grants which began later, and have not ended, name in their first events: what they stand on.
 */
export const namedByLaterGrants = async (pool: Database, { platform, month }: Of): Promise<ReadonlySet<StreamId>> => {
  const { rows } = await pool.query<{ stream: StreamId }>(
    `select distinct named.id as stream from event e
       cross join lateral (
         select (m.found)::uuid as id from jsonb_path_query(e.data, 'strict $.**') as v(value)
         cross join lateral (select v.value #>> '{}' as found) m
         where jsonb_typeof(v.value) = 'string' and m.found ~ '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'
       ) named
     where e.platform = $1 and e.version = 1 and e.type = 'grant.authorized' and e.stream_id >= $3 and named.id >= $2 and named.id < $3
       and not exists (select from event x where x.platform = e.platform and x.stream_id = e.stream_id and x.type in ('grant.expired', 'grant.revoked'))`,
    [platform, month.from, month.to],
  );
  return new Set(rows.map(({ stream }) => stream));
};
