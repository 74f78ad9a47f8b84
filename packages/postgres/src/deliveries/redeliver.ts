import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Database } from './database.ts';

/** Makes a finished delivery due once more, under the same id and with a fresh schedule. Says whether there was one. */
export const redeliver = async (
  pool: Database,
  query: { readonly platform: PlatformId; readonly endpoint: StreamId; readonly id: string },
): Promise<boolean> => {
  const { rows } = await pool.query<{ again: number }>('select redeliver($1, $2, array[$3::uuid]) as again', [
    query.platform,
    query.endpoint,
    query.id,
  ]);
  return rows[0]?.again === 1;
};
