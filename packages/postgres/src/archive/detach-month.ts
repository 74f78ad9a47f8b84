import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import pg from 'pg';
import { transaction } from '../connection/transaction.ts';
import type { Archive } from './archives.ts';
import type { Month } from './month.ts';

/** What a platform's part of a month comes to. */
export type MonthPart = {
  readonly platform: PlatformId;
  /** The last position that was looked at. Whatever came later has to be of a stream that stays. */
  readonly seen: number;
  /** Null where nothing of it is archived. */
  readonly archive: Archive | null;
  /** Streams that stay in the log. */
  readonly stays: ReadonlySet<StreamId>;
  /** Sessions and webhooks that leave it, by the account with which their data keys go. */
  readonly subjects: ReadonlyMap<StreamId, readonly StreamId[]>;
};

/** The month changed while it was archived, or cannot leave the log. Nothing was detached. */
export class MonthNotDetached extends Error {
  override readonly name = 'MonthNotDetached';
}

/** Milliseconds that appends may have to wait for the exchange; it is tried again later where they keep it waiting. */
const patience = 500;
const tries = 60;

const isLockTimeout = (error: unknown): boolean => error instanceof pg.DatabaseError && error.code === '55P03';

const inChunks = function* <Item>(items: Iterable<Item>, size: number): Generator<readonly Item[]> {
  let chunk: Item[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length === size) {
      yield chunk;
      chunk = [];
    }
  }
  if (chunk.length > 0) yield chunk;
};

/** A table like the month's own, with what stays: made beside it, so that the exchange itself takes no time. */
const prepare = async (pool: pg.Pool, month: Month, next: string, parts: readonly MonthPart[]): Promise<void> => {
  await pool.query(`create table ${next} (like event including all, check (stream_id >= '${month.from}' and stream_id < '${month.to}'))`);
  for (const { platform, stays, seen } of parts) {
    for (const streams of inChunks(stays, 1_000)) {
      await pool.query(
        `insert into ${next} select e.* from unnest($2::uuid[]) as s(id)
         cross join lateral (select * from ${month.table} e where e.platform = $1 and e.stream_id = s.id and e.position <= $3) e`,
        [platform, streams, seen],
      );
    }
  }
};

const exchange = (
  pool: pg.Pool,
  month: Month,
  tables: { readonly next: string; readonly old: string },
  parts: readonly MonthPart[],
): Promise<void> =>
  transaction(pool, async (client) => {
    const { next, old } = tables;
    await client.query(`set local lock_timeout = ${patience}`);
    await client.query('lock table event in access exclusive mode');
    // What was appended meanwhile, to streams that stay.
    const late = await client.query<{ strange: number }>(
      `with late as (
         select e.* from log l left join unnest($1::text[], $2::bigint[]) as s(platform, seen) on s.platform = l.platform
         cross join lateral (select * from ${month.table} e where e.platform = l.platform and e.position > coalesce(s.seen, 0)) e
       ), known as (
         insert into ${next} select l.* from late l
         where exists (select from ${next} n where n.platform = l.platform and n.stream_id = l.stream_id) returning 1
       )
       select ((select count(*) from late) - (select count(*) from known))::int as strange`,
      [parts.map(({ platform }) => platform), parts.map(({ seen }) => seen)],
    );
    if (late.rows[0]?.strange !== 0)
      throw new MonthNotDetached(`${month.name} has ${late.rows[0]?.strange} new events of streams that were over: archive it anew`);
    await client.query(`alter table event detach partition ${month.table}`);
    await client.query(`alter table ${month.table} rename to ${old}`);
    await client.query(`alter table ${next} rename to ${month.table}`);
    await client.query(`alter table event attach partition ${month.table} for values from ('${month.from}') to ('${month.to}')`);
    await client.query('select guard_partition($1)', [month.table]);
    for (const { platform, archive } of parts) {
      if (archive === null) continue;
      // A log whose last event went would give its position away again.
      const { rows } = await client.query<{ last: number }>(
        'select position as last from event where platform = $1 order by platform desc, position desc limit 1',
        [platform],
      );
      if ((rows[0]?.last ?? 0) <= archive.lastPosition)
        throw new MonthNotDetached(`${month.name} has the last event of ${platform}, which has to stay`);
      await client.query(
        `insert into archive (id, platform, lineage, month, file, digest, events, streams, first_position, last_position, tree_size)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
        [
          archive.id,
          platform,
          archive.lineage,
          archive.month,
          archive.file,
          Buffer.from(archive.digest),
          archive.events,
          archive.streams,
          archive.firstPosition,
          archive.lastPosition,
          archive.treeSize,
        ],
      );
    }
  });

const keepSubjects = async (pool: pg.Pool, { platform, subjects }: MonthPart): Promise<void> => {
  const pairs = [...subjects].flatMap(([account, of]) => of.map((subject) => ({ account, subject })));
  for (const chunk of inChunks(pairs, 2_000)) {
    await pool.query(
      `insert into archived_subject (platform, account, subject) select $1, a, s from unnest($2::uuid[], $3::uuid[]) as p(a, s) on conflict do nothing`,
      [platform, chunk.map(({ account }) => account), chunk.map(({ subject }) => subject)],
    );
  }
};

/**
 * Takes the archived streams of a month out of the log, without deleting a row: the month's partition is exchanged for one with what
 * stays, and dropped. Appends wait for the exchange, half a second at most, and it for them. Of the migration role.
 *
 * @throws MonthNotDetached where the month has changed since it was read, or has the last event of a log; nothing has changed then
 */
export const detachMonth = async (pool: pg.Pool, month: Month, parts: readonly MonthPart[]): Promise<void> => {
  const stem = month.table.replace('event_', '');
  const tables = { next: `event_next_${stem}`, old: `event_archived_${stem}` };
  for (const part of parts) await keepSubjects(pool, part);
  await prepare(pool, month, tables.next, parts);
  for (let turn = 1; ; turn += 1) {
    try {
      await exchange(pool, month, tables, parts);
      break;
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      if (turn === tries) throw new MonthNotDetached(`others held the log each of ${tries} times that ${month.name} was to be exchanged`);
      await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 800));
    }
  }
  await removeRemains(pool);
};

/** Drops what runs that ended early have left: tables that are no part of the log, and hashes of archives that never came to be. */
export const removeRemains = async (pool: pg.Pool): Promise<void> => {
  const { rows } = await pool.query<{ name: string }>(
    `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'grantlog' and c.relkind = 'r' and c.relname ~ '^event_(next|archived)_\\d{4}_\\d{2}$'
       and not exists (select from pg_inherits i where i.inhrelid = c.oid)`,
  );
  for (const { name } of rows) await pool.query(`drop table ${name}`);
  await pool.query('delete from archived_leaf l where not exists (select from archive a where a.id = l.archive)');
};
