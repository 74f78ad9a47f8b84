import { defineProjection } from '../projection/projection.ts';
import { foldChanges, rowsNeeded } from './fold-changes.ts';
import { clientListReducers } from './reducers.ts';
import { readRows, writeRows } from './write-rows.ts';

/** Every client of a platform, for lists and searches. Decisions never read it. */
export const clientList = defineProjection({
  name: 'client-list',
  version: 2,
  batchLimit: 4_000,
  on: clientListReducers,
  apply: async (client, target, changes) => {
    const standing = await readRows(client, target, rowsNeeded(changes));
    await writeRows(client, target, foldChanges(standing, changes));
  },
  deleteBelow: async (client, { platform, generation, limit }) => {
    const { rowCount } = await client.query(
      `delete from client_list where platform = $1 and (generation, client) in (
         select generation, client from client_list where platform = $1 and generation < $2 limit $3)`,
      [platform, generation, limit],
    );
    return rowCount ?? 0;
  },
});
