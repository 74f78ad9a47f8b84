import type { PlatformId } from '@grantlog/eventsourcing';
import type { Database } from './database.ts';
import type { DeliverySummary } from './delivery-summary.ts';

/** Who was told of the events at these positions, in their order; the first `limit` deliveries. They are kept for as long as messages are. */
export const listDeliveriesOf = async (
  pool: Database,
  query: { readonly platform: PlatformId; readonly positions: readonly number[]; readonly limit: number },
): Promise<readonly DeliverySummary[]> => {
  const { rows } = await pool.query<DeliverySummary>({
    name: 'grantlog.deliveries-of',
    text: `select id, endpoint, type, subject, position, state, attempt as attempts, created_at as "createdAt", due_at as "dueAt",
        finished_at as "finishedAt", trace
      from deliveries_of($1, $2, $3)`,
    values: [query.platform, query.positions, query.limit],
  });
  return rows;
};
