import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Transaction } from './database.ts';

/** What a message makes stale for one endpoint: earlier messages of these types about the same subject. */
export type Supersession = {
  readonly endpoint: StreamId;
  readonly subject: StreamId;
  readonly before: number;
  readonly types: readonly string[];
};

/** Drops what has become stale and was not delivered yet, and says so in its state. An attempt under way is not called back. */
export const supersedeDeliveries = async (
  client: Transaction,
  options: { readonly platform: PlatformId; readonly supersessions: readonly Supersession[] },
): Promise<void> => {
  const { platform, supersessions } = options;
  if (supersessions.length === 0) return;
  await client.query({
    name: 'grantlog.supersede-deliveries',
    text: `with stale as (
        delete from delivery d
        using unnest($2::uuid[], $3::uuid[], $4::bigint[], $5::text[]) as s(endpoint, subject, before, types), message m
        where d.platform = $1 and d.endpoint = s.endpoint and d.line = s.subject and d.position < s.before
          and m.platform = d.platform and m.id = d.id and m.type = any (string_to_array(s.types, ' '))
        returning d.*
      )
      insert into delivery_done (platform, endpoint, id, lane, position, proves, state, attempt, created_at)
      select platform, endpoint, id, lane, position, proves, 'superseded', attempt, created_at from stale`,
    values: [
      platform,
      supersessions.map(({ endpoint }) => endpoint),
      supersessions.map(({ subject }) => subject),
      supersessions.map(({ before }) => before),
      supersessions.map(({ types }) => types.join(' ')),
    ],
  });
};
