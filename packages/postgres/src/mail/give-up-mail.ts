import type { Database } from '../deliveries/database.ts';

/**
 * Gives up mails that were queued so many days ago and still wait, whether nobody could try or every attempt failed. One that
 * somebody is at is left to them. Returns how many; any number of processes may call it.
 */
export const giveUpMail = async (pool: Database, waited: { readonly days: number }): Promise<number> => {
  const { rowCount } = await pool.query({
    name: 'grantlog.give-up-mail',
    text: `update mail set state = 'failed', claimed_until = null, finished_at = now(), last_error = 'it waited too long'
      where state = 'due' and created_at < now() - make_interval(days => $1::int) and coalesce(claimed_until, now()) <= now()`,
    values: [waited.days],
  });
  return rowCount ?? 0;
};
