import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Database, Month } from '@grantlog/postgres';

/** Rows about streams, by the column that names the stream; those with generations by each of them. */
const tables = [
  { name: 'audit_entry', stream: 'stream_id', generations: 'generation' },
  { name: 'audit_stream', stream: 'stream_id', generations: 'generation' },
  { name: 'grant_list', stream: 'grant_id', generations: 'generation' },
  { name: 'stream_state', stream: 'stream_id', generations: 'fold_version' },
] as const;

/** Streams of one statement. */
const chunk = 1_000;

/**
 * Deletes what read models hold about streams of a month that the log no longer has, so that they are what a rebuild would make of it.
 * Says how many rows. Of the worker role; may be called again, and while others work.
 */
export const forgetArchived = async (pool: Database, of: { readonly platform: PlatformId; readonly month: Month }): Promise<number> => {
  const { platform, month } = of;
  let deleted = 0;
  for (const { name, stream, generations } of tables) {
    const { rows: found } = await pool.query<{ generation: number }>(
      `select distinct ${generations} as generation from ${name} where platform = $1`,
      [platform],
    );
    for (const { generation } of found) {
      for (let after: StreamId | null = month.from; after !== null; ) {
        const { rows }: { rows: readonly { readonly last: StreamId | null; readonly deleted: number }[] } = await pool.query(
          `with page as materialized (
             select distinct ${stream} as id from ${name}
             where platform = $1 and ${generations} = $2 and ${stream} > $3 and ${stream} < $4 order by id limit ${chunk}
           ), gone as (
             select id from page p where not exists (select from event e where e.platform = $1 and e.stream_id = p.id)
           ), deleted as (
             delete from ${name} t using gone g where t.platform = $1 and t.${generations} = $2 and t.${stream} = g.id returning 1
           )
           select (select id from page order by id desc limit 1) as last, (select count(*) from deleted)::int as deleted`,
          [platform, generation, after, month.to],
        );
        after = rows[0]?.last ?? null;
        deleted += rows[0]?.deleted ?? 0;
      }
    }
  }
  return deleted;
};
