import type { ClientStreamId } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import type { Database } from '@grantlog/postgres';
import { sql } from 'kysely';
import { kyselyOn } from './database.ts';
import { clientList } from './projection.ts';

/**
 * Clients that registered themselves before an instant and that nobody has granted anything, as far as the list knows,
 * oldest first. Whether one is to end is decided from the log.
 */
export const listUnusedClients = async (
  pool: Database,
  query: { readonly platform: PlatformId; readonly registeredBefore: Date; readonly limit: number },
): Promise<readonly ClientStreamId[]> => {
  const found = await kyselyOn(pool)
    .selectFrom('projection as p')
    .innerJoin('client_list as c', (join) => join.onRef('c.platform', '=', 'p.platform').onRef('c.generation', '=', 'p.live_generation'))
    .select(sql<ClientStreamId>`c.client`.as('client'))
    .where('p.name', '=', clientList.name)
    .where('p.platform', '=', query.platform)
    // The words of the partial index: without them every client of the platform would be looked at.
    .where(sql<boolean>`c.how = 'dynamic' and not c.used and c.status <> 'deleted'`)
    .where('c.registered_at', '<=', query.registeredBefore)
    .orderBy('c.registered_at')
    .limit(query.limit)
    .execute();
  return found.map(({ client }) => client);
};
