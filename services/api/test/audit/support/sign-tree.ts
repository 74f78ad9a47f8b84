import type { PlatformId } from '@grantlog/eventsourcing';
import {
  createPool,
  insertAuditCheckpoint,
  readAuditTree,
  readEventsAfter,
  readLineage,
  transaction,
  writeAuditTree,
} from '@grantlog/postgres';
import { openLogKey } from '@grantlog/provisioning';
import { leavesOf, tileReaderOf } from '@grantlog/read-models';
import { emptyRoot, hashLeaf, type NoteSigner, openTree, signCheckpoint } from '@grantlog/transparency';
import type { World } from '../../management/support/world.ts';

/** Signs what there is of a platform's log, as the worker does; says with which key. */
export const signTree = async (world: Pick<World, 'databaseUrl' | 'deps'>, platform: PlatformId): Promise<NoteSigner> => {
  const signer: NoteSigner = { name: `auth.example/${platform}`, key: await openLogKey(world.deps.provisioning, platform) };
  const pool = createPool({ connectionString: world.databaseUrl, role: 'grantlog_worker', max: 2 });
  try {
    await transaction(pool, async (client) => {
      const found = await readLineage(client, platform);
      if (found === null) throw new Error(`platform ${platform} has no log`);
      const { lineage, floor: base } = found;
      const before = (await readAuditTree(client, platform)) ?? {
        platform,
        lineage,
        origin: signer.name,
        base,
        size: 0,
        root: emptyRoot(),
      };
      const opening = await openTree({ size: before.size, root: before.root, readTile: tileReaderOf(client, before) });
      if (opening.outcome === 'tiles_differ') throw new Error('the tiles are not those of the tree');
      const { tree } = opening;
      const events = await readEventsAfter(client, { platform, after: base + before.size, limit: 10_000 });
      if (events.length === 0) return;
      const tiles = tree.append(leavesOf(events).map(hashLeaf));
      const [size, root] = [tree.size(), tree.root()];
      await writeAuditTree(client, { ...before, size, root }, tiles);
      await insertAuditCheckpoint(
        client,
        { platform, lineage },
        { size, root, note: signCheckpoint({ origin: signer.name, size, root }, signer) },
      );
    });
  } finally {
    await pool.end();
  }
  return signer;
};
