import type { PlatformId } from '@grantlog/eventsourcing';
import type { Database } from '@grantlog/postgres';

export const clockAt = async (db: Database, of: { readonly platform: PlatformId; readonly position: number }): Promise<number> => {
  const { rows } = await db.query<{ ms: number }>(
    'select (extract(epoch from max(recorded_at)) * 1000)::float8 as ms from event where platform = $1 and position <= $2',
    [of.platform, of.position],
  );
  return rows[0]?.ms ?? 0;
};
export const positionAt = async (db: Database, of: { readonly platform: PlatformId; readonly time: number }): Promise<number> => {
  const { rows } = await db.query<{ position: number }>(
    'select coalesce(max(position), 0) as position from event where platform = $1 and recorded_at <= to_timestamp($2::float8 / 1000)',
    [of.platform, of.time],
  );
  return rows[0]?.position ?? 0;
};
