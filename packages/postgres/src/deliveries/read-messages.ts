import type { StreamId } from '@grantlog/eventsourcing';
import type { Database } from './database.ts';

/** What endpoints are told, as it was written. */
export type Message = {
  readonly id: string;
  readonly subject: StreamId;
  readonly position: number;
  readonly type: string;
  readonly body: string;
  /** Of its event. */
  readonly recordedAt: Date;
  /** `traceparent` of what caused the event; null in a message from before traces were kept. */
  readonly trace: string | null;
};

/** Messages by platform and id, in the order given; null where there is none any more. */
export const readMessages = async (
  pool: Database,
  keys: readonly { readonly platform: string; readonly id: string }[],
): Promise<readonly (Message | null)[]> => {
  const { rows } = await pool.query<Message & { readonly platform: string }>({
    name: 'grantlog.read-messages',
    text: `select m.platform, m.id, m.subject, m.position, m.type, m.body, m.recorded_at as "recordedAt", m.trace
      from unnest($1::text[], $2::uuid[]) as k(platform, id)
      cross join lateral (select * from message m where m.platform = k.platform and m.id = k.id) m`,
    values: [keys.map(({ platform }) => platform), keys.map(({ id }) => id)],
  });
  const found = new Map(rows.map(({ platform, ...message }) => [`${platform} ${message.id}`, message]));
  return keys.map(({ platform, id }) => found.get(`${platform} ${id}`) ?? null);
};
