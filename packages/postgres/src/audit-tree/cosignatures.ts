import type { Database } from '../deliveries/database.ts';
import type { AuditTree } from './audit-tree.ts';
import type { AuditCheckpoint } from './checkpoints.ts';

/** What a witness said of a checkpoint. */
export type AuditCosignature = {
  readonly size: number;
  readonly root: Uint8Array;
  /** The verifier key of the witness, as text. */
  readonly witness: string;
  /** A line of signature with its newline, verified before it is kept. */
  readonly line: string;
  readonly cosignedAt: Date;
};

type Of = Pick<AuditTree, 'platform' | 'lineage'>;

/** Keeps what a witness said, for good. Of one witness and checkpoint the first stays. */
export const insertAuditCosignature = async (pool: Database, of: Of, cosignature: AuditCosignature): Promise<void> => {
  const { size, root, witness, line, cosignedAt } = cosignature;
  await pool.query({
    name: 'grantlog.audit-cosignature-insert',
    text: `insert into audit_cosignature (platform, lineage, size, witness, root, line, cosigned_at) values ($1, $2, $3, $4, $5, $6, $7)
      on conflict do nothing`,
    values: [of.platform, of.lineage, size, witness, Buffer.from(root), line, cosignedAt],
  });
};

/** The note of a checkpoint with what witnesses said of it, each a line of signature at its end. */
export const readCosignedNote = async (pool: Database, of: Of, { size, root, note }: AuditCheckpoint): Promise<string> => {
  const { rows } = await pool.query<{ line: string }>({
    name: 'grantlog.audit-cosignatures',
    text: `select line from audit_cosignature where platform = $1 and lineage = $2 and size = $3 and root = $4
      order by recorded_at limit 50`,
    values: [of.platform, of.lineage, size, Buffer.from(root)],
  });
  return note + rows.map(({ line }) => line).join('');
};

/** Sizes that are looked at for the one that most witnesses signed. */
const recently = 100;

/**
 * Of the checkpoints that witnesses have cosigned lately the one of most of them, and of those the largest; null where there is none.
 *
 * @param range.atLeast leaves that it has. @param range.atMost leaves that it may have.
 */
export const readWitnessedCheckpoint = async (
  pool: Database,
  { platform, lineage, atLeast = 0, atMost }: Of & { readonly atLeast?: number; readonly atMost: number },
): Promise<AuditCheckpoint | null> => {
  const { rows } = await pool.query<AuditCheckpoint>({
    name: 'grantlog.audit-witnessed-checkpoint',
    text: `select c.size, c.root, c.note, c.signed_at as "signedAt" from (
        select size, root, count(*) as witnesses from audit_cosignature
        where platform = $1 and lineage = $2 and size between $3 and $4
        group by size, root order by size desc limit ${recently}
      ) w
      join audit_checkpoint c on c.platform = $1 and c.lineage = $2 and c.size = w.size and c.root = w.root
      order by w.witnesses desc, c.size desc limit 1`,
    values: [platform, lineage, atLeast, atMost],
  });
  return rows[0] ?? null;
};
