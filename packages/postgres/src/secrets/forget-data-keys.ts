import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Database, Transaction } from '../deliveries/database.ts';

/**
 * Lets the data keys of these sessions and of their webhooks go in so many days, where nobody was ever linked to them.
 * Those of a session that somebody was linked to go with that account. Worker role only.
 */
export const forgetUnlinkedSessions = async (
  client: Transaction,
  options: { readonly platform: PlatformId; readonly sessions: readonly StreamId[]; readonly inDays: number },
): Promise<void> => {
  await client.query({
    name: 'grantlog.forget-unlinked-sessions',
    text: `with unlinked as materialized (
        select s.id from unnest($2::uuid[]) as s(id)
        where not exists (select from event e where e.platform = $1 and e.stream_id = s.id and e.type = 'session.linked')
      ), subject as (
        select id from unlinked
        union
        select w.endpoint from unlinked u cross join lateral (
          select (e.data ->> 'endpoint')::uuid as endpoint from event e
          where e.platform = $1 and e.stream_id = u.id and e.type = 'session.webhook_registered'
        ) w
      )
      update data_key k set forget_at = now() + make_interval(days => $3)
      from subject where k.platform = $1 and k.subject = subject.id and k.forget_at is null`,
    values: [options.platform, options.sessions, options.inDays],
  });
};

/** Deletes the data keys whose time has come, of every platform; says how many. Worker role only. */
export const deleteForgottenDataKeys = async (pool: Database): Promise<number> => {
  const { rowCount } = await pool.query('delete from data_key where forget_at <= now()');
  return rowCount ?? 0;
};
