import { type AuditTree, type Database, readAuditTile, type Transaction } from '@grantlog/postgres';
import type { TileReader } from '@grantlog/transparency';

/** Bytes of a hash. */
const hashLength = 32;

/** Reads the tiles of a tree as they are stored: a narrower tile is the beginning of what is there by now. */
export const tileReaderOf =
  (db: Database | Transaction, { platform, lineage }: Pick<AuditTree, 'platform' | 'lineage'>): TileReader =>
  async ({ level, index, width }) => {
    const hashes = await readAuditTile(db, { platform, lineage, level, index });
    return hashes?.subarray(0, width * hashLength) ?? new Uint8Array();
  };
