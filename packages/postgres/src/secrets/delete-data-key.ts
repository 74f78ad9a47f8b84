import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type pg from 'pg';

/** Erases what the subjects' data keys open, for good. Worker role only. Deleting what is gone is nothing. */
export const deleteDataKeys = async (
  client: pg.PoolClient,
  options: { readonly platform: PlatformId; readonly subjects: readonly StreamId[] },
): Promise<void> => {
  await client.query('delete from data_key where platform = $1 and subject = any($2)', [options.platform, options.subjects]);
};
