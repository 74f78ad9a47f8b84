import type { PlatformId } from '@grantlog/eventsourcing';
import type { Database } from '../deliveries/database.ts';

/** A mail of which this process alone may make the attempt that it names, until the claim runs out. */
export type ClaimedMail = {
  readonly platform: PlatformId;
  readonly id: string;
  readonly sealed: Uint8Array;
  /** Counts from 1, and is the fence: recording is refused under any other number. */
  readonly attempt: number;
};

/**
 * Claims mails that are due, those that wait longest first. Two claimers never get the same one.
 * A claim ends by being recorded or by running out after `claimMs`; then the next claimer tries again.
 */
export const claimMail = async (
  pool: Database,
  claim: { readonly limit: number; readonly claimMs: number },
): Promise<readonly ClaimedMail[]> => {
  const { rows } = await pool.query<ClaimedMail>({
    name: 'grantlog.claim-mail',
    text: `with due as (
        select platform, id from mail where state = 'due' and coalesce(claimed_until, due_at) <= now()
        order by coalesce(claimed_until, due_at) limit $1
        for update skip locked
      )
      update mail m set attempts = m.attempts + 1, claimed_until = now() + make_interval(secs => $2::float8 / 1000)
      from due where m.platform = due.platform and m.id = due.id
      returning m.platform, m.id, m.sealed, m.attempts as attempt`,
    values: [claim.limit, claim.claimMs],
  });
  return rows;
};

/** Whether any mail is due and nobody is at it. */
export const isMailDue = async (pool: Database): Promise<boolean> => {
  const { rows } = await pool.query<{ due: boolean }>({
    name: 'grantlog.is-mail-due',
    text: `select exists (select 1 from mail where state = 'due' and coalesce(claimed_until, due_at) <= now()) as due`,
  });
  return rows[0]?.due ?? false;
};
