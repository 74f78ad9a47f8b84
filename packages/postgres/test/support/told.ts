import { uuidv7 } from '@grantlog/crypto';
import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type pg from 'pg';
import { insertMessages, type NewMessage, transaction } from '../../src/index.ts';

/** A message about a subject, at a position. */
export const messageOf = (
  platform: PlatformId,
  of: Pick<NewMessage, 'position'> & Partial<NewMessage> & { readonly at?: number },
): NewMessage => {
  const { at = Date.now(), ...rest } = of;
  const id = uuidv7(at);
  const type = of.type ?? 'grant.refreshed';
  return {
    platform,
    id,
    ordinal: 0,
    subject: uuidv7(at) as StreamId,
    type,
    renderer: 1,
    body: JSON.stringify({ type, timestamp: new Date(at).toISOString(), data: { position: of.position } }),
    recordedAt: at,
    trace: null,
    audience: [],
    ...rest,
  };
};

/** Tells messages as a dispatcher does: with its checkpoint, in one transaction. */
export const tell = (
  pool: pg.Pool,
  { platform, to }: { readonly platform: PlatformId; readonly to: number },
  messages: readonly NewMessage[],
): Promise<void> =>
  transaction(
    pool,
    async (client) => {
      await insertMessages(client, messages);
      await client.query(
        `insert into subscription (name, platform, position) values ('dispatcher', $1, $2)
         on conflict (name, platform) do update set position = excluded.position`,
        [platform, to],
      );
    },
    'repeatable',
  );
