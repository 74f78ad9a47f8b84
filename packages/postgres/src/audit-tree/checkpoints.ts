import type { Database, Transaction } from '../deliveries/database.ts';
import type { AuditTree } from './audit-tree.ts';

/** What was signed of a tree. */
export type AuditCheckpoint = {
  readonly size: number;
  readonly root: Uint8Array;
  /** As a signed note, whole. */
  readonly note: string;
  readonly signedAt: Date;
};

type Of = Pick<AuditTree, 'platform' | 'lineage'>;

/** The largest tree that was signed, of `atMost` leaves where that is said; null where none was. */
export const readAuditCheckpoint = async (
  client: Database | Transaction,
  { platform, lineage, atMost }: Of & { readonly atMost?: number },
): Promise<AuditCheckpoint | null> => {
  const { rows } = await client.query<AuditCheckpoint>({
    name: 'grantlog.audit-checkpoint',
    text: `select size, root, note, signed_at as "signedAt" from audit_checkpoint
      where platform = $1 and lineage = $2 and size <= coalesce($3, 9223372036854775807) order by size desc limit 1`,
    values: [platform, lineage, atMost ?? null],
  });
  return rows[0] ?? null;
};

/** Keeps what was signed, before anybody is shown it. @throws where another of this size was kept. */
export const insertAuditCheckpoint = async (client: Transaction, of: Of, checkpoint: Omit<AuditCheckpoint, 'signedAt'>): Promise<void> => {
  await client.query({
    name: 'grantlog.audit-checkpoint-insert',
    text: 'insert into audit_checkpoint (platform, lineage, size, root, note) values ($1, $2, $3, $4, $5)',
    values: [of.platform, of.lineage, checkpoint.size, Buffer.from(checkpoint.root), checkpoint.note],
  });
};

/** What was signed of trees larger than this one, the smallest first. */
export const listAuditCheckpoints = async (
  client: Database | Transaction,
  { platform, lineage, above, limit }: Of & { readonly above: number; readonly limit: number },
): Promise<readonly AuditCheckpoint[]> => {
  const { rows } = await client.query<AuditCheckpoint>({
    name: 'grantlog.audit-checkpoints',
    text: `select size, root, note, signed_at as "signedAt" from audit_checkpoint
      where platform = $1 and lineage = $2 and size > $3 order by size limit $4`,
    values: [platform, lineage, above, limit],
  });
  return rows;
};
