import type { AccountId } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import type { Pool } from '@grantlog/postgres';

/** An integration account as the log begins it. */
type BegunIntegration = { readonly account: AccountId; readonly registeredAt: Date };

export type IntegrationPage = {
  readonly accounts: readonly BegunIntegration[];
  /** Give it as `before` for the next page; null on the last. */
  readonly next: number | null;
};

/**
 * A platform's integration accounts, erased ones included, the newest first, from the log itself. They are few among many
 * accounts, and have an index of their own (migration 0007).
 *
 * @param query.limit from 1.
 */
export const listIntegrationAccounts = async (
  pool: Pool,
  query: { readonly platform: PlatformId; readonly before: number | undefined; readonly limit: number },
): Promise<IntegrationPage> => {
  const { platform, before = Number.MAX_SAFE_INTEGER, limit } = query;
  const { rows } = await pool.query<BegunIntegration & { readonly position: number }>({
    name: 'grantlog.list-integration-accounts',
    // Type and kind stand as the index spells them; the ids of accounts keep the search in its partition.
    text: `select stream_id as account, position, recorded_at as "registeredAt" from event
      where platform = $1 and type = 'account.registered' and data ->> 'kind' = 'integration'
        and stream_id < '01000000-0000-0000-0000-000000000000' and position < $2
      order by position desc limit $3`,
    values: [platform, before, limit + 1],
  });
  const accounts = rows.slice(0, limit);
  return { accounts, next: rows.length > limit ? (accounts.at(-1)?.position ?? null) : null };
};
