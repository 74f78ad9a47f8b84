import { defineProjection } from '../projection/projection.ts';
import { foldChanges, rowsNeeded } from './fold-changes.ts';
import { grantListReducers } from './reducers.ts';
import { readRows, writeCutOff, writeRows } from './write-rows.ts';

/** Every grant of a platform, for lists and searches. Decisions never read it. */
export const grantList = defineProjection({
  name: 'grant-list',
  version: 1,
  // A rebuild would else spend its time on round trips.
  batchLimit: 4_000,
  on: grantListReducers,
  apply: async (client, target, changes) => {
    const rowChanges = changes.filter((change) => change.kind !== 'cut_off');
    const standing = await readRows(client, target, rowsNeeded(rowChanges));
    await writeRows(client, target, foldChanges(standing, rowChanges));
    for (const change of changes) if (change.kind === 'cut_off') await writeCutOff(client, target, change);
  },
  deleteBelow: async (client, { platform, generation, limit }) => {
    const { rowCount } = await client.query(
      `delete from grant_list where platform = $1 and (generation, grant_id) in (
         select generation, grant_id from grant_list where platform = $1 and generation < $2 limit $3)`,
      [platform, generation, limit],
    );
    await client.query('delete from grant_list_cutoff where platform = $1 and generation < $2', [platform, generation]);
    return rowCount ?? 0;
  },
});
