import type { Database } from '../deliveries/database.ts';
import type { ClaimedMail } from './claim-mail.ts';

/** What becomes of a mail after an attempt. `error` is fixed words: no address, nothing a mail server wrote. */
export type MailOutcome =
  | { readonly kind: 'sent' }
  | { readonly kind: 'due'; readonly error: string; readonly retryInMs: number }
  | { readonly kind: 'failed'; readonly error: string };

/**
 * Records how an attempt ended, in one statement; says whether it counted, which it does not once the mail has passed to
 * somebody else or is gone.
 *
 * @param record.keepSent whether what was sent stays, sealed, until its row goes: for the mailbox page of development.
 */
export const recordMail = async (
  pool: Database,
  record: Pick<ClaimedMail, 'platform' | 'id' | 'attempt'> & { readonly outcome: MailOutcome; readonly keepSent: boolean },
): Promise<boolean> => {
  const { platform, id, attempt, outcome, keepSent } = record;
  const { rowCount } = await pool.query({
    name: 'grantlog.record-mail',
    text: `update mail set state = $4,
        sealed = case when $4 = 'sent' and not $7 then null else sealed end,
        due_at = case when $4 = 'due' then now() + make_interval(secs => $6::float8 / 1000) else due_at end,
        claimed_until = null,
        finished_at = case when $4 <> 'due' then now() end,
        last_error = $5
      where platform = $1 and id = $2 and attempts = $3 and state = 'due'`,
    values: [
      platform,
      id,
      attempt,
      outcome.kind,
      outcome.kind === 'sent' ? null : outcome.error,
      outcome.kind === 'due' ? outcome.retryInMs : 0,
      keepSent,
    ],
  });
  return rowCount === 1;
};

/** Keeps what is due instead of sending it: for the mailbox page of development. Returns how many. */
export const keepMail = async (pool: Database): Promise<number> => {
  const { rowCount } = await pool.query({
    name: 'grantlog.keep-mail',
    text: `update mail set state = 'kept', claimed_until = null, finished_at = now()
      where state = 'due' and coalesce(claimed_until, due_at) <= now()`,
  });
  return rowCount ?? 0;
};
