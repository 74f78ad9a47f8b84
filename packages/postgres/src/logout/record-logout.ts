import type { Database } from '../deliveries/database.ts';
import type { ClaimedLogout } from './claim-logouts.ts';

/** What becomes of a notice after an attempt. `error` is fixed words and a status: nothing that the app wrote. */
export type LogoutOutcome =
  | { readonly kind: 'told' }
  /** The app is gone, or does not listen any more. */
  | { readonly kind: 'dropped' }
  | { readonly kind: 'due'; readonly error: string; readonly retryInMs: number }
  | { readonly kind: 'failed'; readonly error: string };

/** Records how an attempt ended, in one statement; says whether it counted, which it does not once the notice has passed to somebody else. */
export const recordLogout = async (
  pool: Database,
  { platform, id, attempt, outcome }: Pick<ClaimedLogout, 'platform' | 'id' | 'attempt'> & { readonly outcome: LogoutOutcome },
): Promise<boolean> => {
  const { rowCount } = await pool.query({
    name: 'grantlog.record-logout',
    text: `update logout_notice set state = $4,
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
      'error' in outcome ? outcome.error : null,
      outcome.kind === 'due' ? outcome.retryInMs : 0,
    ],
  });
  return rowCount === 1;
};

/** Deletes notices that were finished for so many days. Returns how many. */
export const deleteOldLogouts = async (pool: Database, keepDays: number): Promise<number> => {
  const { rowCount } = await pool.query(
    `delete from logout_notice where state <> 'due' and finished_at < now() - make_interval(days => $1::int)`,
    [keepDays],
  );
  return rowCount ?? 0;
};
