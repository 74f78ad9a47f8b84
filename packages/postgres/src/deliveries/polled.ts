import type { Database } from './database.ts';
import type { EndpointKey } from './delivery.ts';
import type { Message } from './read-messages.ts';

/** The oldest messages that are held for an endpoint, in the order of the log. */
export const readHeld = async (
  pool: Database,
  { platform, endpoint, limit, ofItself = false }: EndpointKey & { readonly limit: number; readonly ofItself?: boolean },
): Promise<readonly Message[]> => {
  const { rows } = await pool.query<Message>({
    name: 'grantlog.read-held',
    text: `select m.id, m.subject, m.position, m.type, m.body, m.recorded_at as "recordedAt", m.trace
      from (
        select d.platform, d.id, d.position from delivery d
        where d.platform = $1 and d.endpoint = $2 and d.state = 'held'
          and (not $4 or exists (select 1 from message s where s.platform = d.platform and s.id = d.id and s.subject = d.endpoint))
          order by d.position, d.id limit $3
      ) h
      cross join lateral (select * from message m where m.platform = h.platform and m.id = h.id) m
      order by h.position, h.id`,
    values: [platform, endpoint, limit, ofItself],
  });
  return rows;
};

/** What a receiver says of a message that it has fetched: `problem` is null where it took it. */
export type Settled = { readonly id: string; readonly problem: string | null };

/** Finishes what a receiver has fetched; what was finished before is passed over. Returns how many were. */
export const settlePolled = async (pool: Database, of: EndpointKey & { readonly settled: readonly Settled[] }): Promise<number> => {
  if (of.settled.length === 0) return 0;
  const { rows } = await pool.query<{ settled: number }>({
    name: 'grantlog.settle-polled',
    text: 'select settle_polled($1, $2, $3::uuid[], $4::text[]) as settled',
    values: [of.platform, of.endpoint, of.settled.map(({ id }) => id), of.settled.map(({ problem }) => problem)],
  });
  return rows[0]?.settled ?? 0;
};

/** Gives up what has been held for so many days, a chunk at a time. Returns how many. */
export const abandonOldHeld = async (
  pool: Database,
  { days, limit = 2_000 }: { readonly days: number; readonly limit?: number },
): Promise<number> => {
  const { rowCount } = await pool.query(
    `with old as (
        delete from delivery where (platform, id, endpoint) in (
          select platform, id, endpoint from delivery where state = 'held' and created_at < now() - make_interval(days => $1)
          limit $2 for update skip locked)
        returning *
      )
      insert into delivery_done (platform, endpoint, id, lane, position, proves, state, attempt, created_at)
      select platform, endpoint, id, lane, position, proves, 'abandoned', attempt, created_at from old`,
    [days, limit],
  );
  return rowCount ?? 0;
};
