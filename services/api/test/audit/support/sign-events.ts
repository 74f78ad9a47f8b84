import { importSigningKey } from '@grantlog/crypto';
import type { PlatformId } from '@grantlog/eventsourcing';
import { createPool, insertAuditCheckpoint, readEventsAfter, readLineage, transaction, writeAuditTree } from '@grantlog/postgres';
import { leavesOf } from '@grantlog/read-models';
import { emptyRoot, hashLeaf, type NoteSigner, openTree, signCheckpoint } from '@grantlog/transparency';
import type { World } from '../../management/support/world.ts';

const origin = 'auth.example/audit';
// RFC 8410 §7: the fixed head of a PKCS #8 Ed25519 key, then its 32-byte seed.
const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 7)]);
export const signer: NoteSigner = { name: origin, key: importSigningKey({ alg: 'EdDSA', kid: origin, pkcs8 }) };

/** Hashes and signs all events of a platform anew, as the worker comes to do, and gives how many there are. */
export const signEvents = async (world: Pick<World, 'databaseUrl'>, platform: PlatformId): Promise<number> => {
  const pool = createPool({ connectionString: world.databaseUrl, role: 'grantlog_worker', max: 2 });
  try {
    const { lineage = '', floor: base = 0 } = (await readLineage(pool, platform)) ?? {};
    const events = await readEventsAfter(pool, { platform, after: base, limit: 100_000 });
    const opening = await openTree({ size: 0, root: emptyRoot(), readTile: async () => new Uint8Array() });
    if (opening.outcome !== 'opened') throw new Error(opening.outcome);
    const { tree } = opening;
    const tiles = tree.append(leavesOf(events).map(hashLeaf));
    const [size, root] = [tree.size(), tree.root()];
    await transaction(pool, async (client) => {
      await writeAuditTree(client, { platform, lineage, origin, base, size, root }, tiles);
      await insertAuditCheckpoint(client, { platform, lineage }, { size, root, note: signCheckpoint({ origin, size, root }, signer) });
    });
    return size;
  } finally {
    await pool.end();
  }
};
