import type { PlatformId } from '@grantlog/eventsourcing';
import type { Database } from '../deliveries/database.ts';

export type MailState = 'due' | 'sent' | 'kept' | 'failed';

/** A mail as it stands in the outbox. */
export type StoredMail = {
  readonly platform: PlatformId;
  readonly id: string;
  readonly state: MailState;
  readonly sealed: Uint8Array;
  readonly createdAt: Date;
};

/** The newest mails of all platforms that still hold what they say, newest first. */
export const listMail = async (pool: Database, limit: number): Promise<readonly StoredMail[]> => {
  const { rows } = await pool.query<StoredMail>(
    `select platform, id, state, sealed, created_at as "createdAt" from mail where sealed is not null order by created_at desc limit $1`,
    [limit],
  );
  return rows;
};
