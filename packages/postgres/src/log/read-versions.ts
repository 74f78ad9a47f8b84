import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type pg from 'pg';

/** The versions of streams as they are when the statement begins, in the order given; 0 where nothing was recorded. */
export const readVersions = async (
  pool: pg.Pool,
  streams: readonly { readonly platform: PlatformId; readonly streamId: StreamId }[],
): Promise<readonly number[]> => {
  const { rows } = await pool.query<{ place: number; version: number }>({
    name: 'grantlog.versions',
    text: `select s.place::int as place, v.version
      from unnest($1::text[], $2::uuid[]) with ordinality as s(platform, stream_id, place)
      cross join lateral (
        select e.version from event e where e.platform = s.platform and e.stream_id = s.stream_id order by e.version desc limit 1
      ) v`,
    values: [streams.map(({ platform }) => platform), streams.map(({ streamId }) => streamId)],
  });
  const versions = new Map(rows.map(({ place, version }) => [place, version]));
  return streams.map((_, index) => versions.get(index + 1) ?? 0);
};
