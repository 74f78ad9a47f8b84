import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Transaction } from '../deliveries/database.ts';

/** The agents' sessions that these accounts were ever linked to, and the webhooks of those sessions, archived ones among them. */
export const subjectsOfAccounts = async (
  client: Transaction,
  options: { readonly platform: PlatformId; readonly accounts: readonly StreamId[] },
): Promise<readonly StreamId[]> => {
  const { rows } = await client.query<{ subject: StreamId }>({
    name: 'grantlog.subjects-of-accounts',
    text: `with linked as materialized (
        select e.stream_id from event e
        where e.platform = $1 and e.type = 'session.linked' and e.data ->> 'account' = any($2::text[])
      )
      select stream_id as subject from linked
      union
      select w.endpoint from linked l cross join lateral (
        select (e.data ->> 'endpoint')::uuid as endpoint from event e
        where e.platform = $1 and e.stream_id = l.stream_id and e.type = 'session.webhook_registered'
      ) w
      union
      select subject from archived_subject where platform = $1 and account = any($2::uuid[])`,
    values: [options.platform, options.accounts],
  });
  return rows.map((row) => row.subject);
};
