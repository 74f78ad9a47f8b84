import type { PlatformId } from '@grantlog/eventsourcing';
import type { Database, Transaction } from '../deliveries/database.ts';

/** The tree over the present lineage of a platform's log. */
export type AuditTree = {
  readonly platform: PlatformId;
  readonly lineage: string;
  /** The first line of its checkpoints. */
  readonly origin: string;
  /** The leaf of index n is the event at position `base` + n + 1. */
  readonly base: number;
  /** Leaves. */
  readonly size: number;
  readonly root: Uint8Array;
};

/** Null where no leaf of the present lineage has been hashed yet. */
export const readAuditTree = async (client: Database | Transaction, platform: PlatformId): Promise<AuditTree | null> => {
  const { rows } = await client.query<AuditTree>({
    name: 'grantlog.audit-tree',
    text: `select t.platform, t.lineage, t.origin, t.base, t.size, t.root from audit_tree t
      join log l on l.platform = t.platform and l.lineage = t.lineage where t.platform = $1`,
    values: [platform],
  });
  return rows[0] ?? null;
};

/** The lineage of a platform's log, and the last position that no event of it has. */
export const readLineage = async (
  client: Database | Transaction,
  platform: PlatformId,
): Promise<{ readonly lineage: string; readonly floor: number } | null> => {
  const { rows } = await client.query<{ lineage: string; floor: number }>('select lineage, floor from log where platform = $1', [platform]);
  return rows[0] ?? null;
};

/** A tile that has changed: what it holds now. */
export type WrittenTile = { readonly level: number; readonly index: number; readonly bytes: Uint8Array };

/** Writes how far a tree has come, and the tiles that have changed by it. */
export const writeAuditTree = async (client: Transaction, tree: AuditTree, tiles: readonly WrittenTile[]): Promise<void> => {
  const { platform, lineage, origin, base, size, root } = tree;
  await client.query({
    name: 'grantlog.audit-tree-write',
    text: `insert into audit_tree (platform, lineage, origin, base, size, root) values ($1, $2, $3, $4, $5, $6)
      on conflict (platform, lineage) do update set size = excluded.size, root = excluded.root`,
    values: [platform, lineage, origin, base, size, Buffer.from(root)],
  });
  if (tiles.length === 0) return;
  await client.query({
    name: 'grantlog.audit-tiles-write',
    text: `insert into audit_tile (platform, lineage, level, tile, hashes)
      select $1, $2, t.level, t.tile, t.hashes from unnest($3::smallint[], $4::bigint[], $5::bytea[]) as t(level, tile, hashes)
      on conflict (platform, lineage, level, tile) do update set hashes = excluded.hashes`,
    values: [
      platform,
      lineage,
      tiles.map(({ level }) => level),
      tiles.map(({ index }) => index),
      tiles.map(({ bytes }) => Buffer.from(bytes)),
    ],
  });
};

/** The hashes that a tile holds by now, 32 bytes each; null where there is none. */
export const readAuditTile = async (
  client: Database | Transaction,
  tile: Pick<AuditTree, 'platform' | 'lineage'> & { readonly level: number; readonly index: number },
): Promise<Uint8Array | null> => {
  const { rows } = await client.query<{ hashes: Buffer }>({
    name: 'grantlog.audit-tile',
    text: 'select hashes from audit_tile where platform = $1 and lineage = $2 and level = $3 and tile = $4',
    values: [tile.platform, tile.lineage, tile.level, tile.index],
  });
  return rows[0]?.hashes ?? null;
};
