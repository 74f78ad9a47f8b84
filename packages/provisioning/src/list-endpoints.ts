import type { EndpointId } from '@grantlog/domain';
import { standingKinds } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import type { Pool } from '@grantlog/postgres';

/** The least id that a stream without end of this kind could have. */
const lowest = (kind: number): string => `00000000-${kind.toString(16).padStart(4, '0')}-0000-0000-000000000000`;

/**
 * Ids of a platform's webhook endpoints, deleted ones included, from the log itself: exact, and in the order of the ids.
 *
 * Endpoints' ids share a prefix, so this is one range of the log's primary key.
 */
export const listEndpoints = async (
  pool: Pool,
  query: { readonly platform: PlatformId; readonly after: EndpointId | null; readonly limit: number },
): Promise<readonly EndpointId[]> => {
  const { rows } = await pool.query<{ stream_id: EndpointId }>({
    name: 'grantlog.list-endpoints',
    text: `select stream_id from event
      where platform = $1 and stream_id > $2 and stream_id < $3 and version = 1
      order by stream_id limit $4`,
    values: [query.platform, query.after ?? lowest(standingKinds.webhookEndpoint), lowest(standingKinds.webhookEndpoint + 1), query.limit],
  });
  return rows.map((row) => row.stream_id);
};
