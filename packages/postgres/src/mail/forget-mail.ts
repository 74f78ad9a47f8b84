import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Database, Transaction } from '../deliveries/database.ts';

/** Deletes every mail about these accounts, sent or not. */
export const deleteMailOf = async (
  client: Transaction,
  options: { readonly platform: PlatformId; readonly accounts: readonly StreamId[] },
): Promise<void> => {
  await client.query('delete from mail where platform = $1 and account = any($2)', [options.platform, options.accounts]);
};

/** Deletes mails that were finished for so many days. Returns how many. */
export const deleteOldMail = async (pool: Database, keepDays: { readonly finished: number; readonly kept: number }): Promise<number> => {
  const { rowCount } = await pool.query(
    `delete from mail where state <> 'due' and finished_at < now() - make_interval(days => case state when 'kept' then $2::int else $1::int end)`,
    [keepDays.finished, keepDays.kept],
  );
  return rowCount ?? 0;
};
