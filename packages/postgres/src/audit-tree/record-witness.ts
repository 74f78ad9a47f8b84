import type { Database } from '../deliveries/database.ts';
import type { ClaimedWitness } from './claim-witness.ts';

/** What becomes of a claim. */
export type WitnessRecord =
  | { readonly kind: 'taken'; readonly size: number; readonly root: Uint8Array; readonly againInMs: number }
  | {
      readonly kind: 'failed';
      /** A word of ours: nothing that the witness wrote. */
      readonly failure: string;
      /** Whether the witness holds another history than ours. */
      readonly isConflict: boolean;
      readonly againInMs: number;
    }
  /** Nothing was learnt. */
  | { readonly kind: 'dropped'; readonly againInMs: number };

type Claim = Pick<ClaimedWitness, 'platform' | 'lineage' | 'witness' | 'attempt'>;

/** Records how an attempt ended; says whether it counted, which it does not once the claim has passed to somebody else. */
export const recordWitness = async (pool: Database, claim: Claim, record: WitnessRecord): Promise<boolean> => {
  const { platform, lineage, witness, attempt } = claim;
  const taken = record.kind === 'taken' ? record : null;
  const failed = record.kind === 'failed' ? record : null;
  const { rowCount } = await pool.query({
    name: 'grantlog.record-witness',
    text: `update audit_witness set claimed_until = null,
        size = coalesce($5, size), root = coalesce($6, root),
        seen_at = case when $5::bigint is null then seen_at else now() end,
        failures = case when $5::bigint is not null then 0 when $7::text is not null then failures + 1 else failures end,
        failure = case when $5::bigint is null then coalesce($7, failure) end,
        failing_since = case when $5::bigint is null then coalesce(failing_since, case when $7::text is not null then now() end) end,
        conflicted_at = case when $8 then now() else conflicted_at end,
        due_at = now() + make_interval(secs => $9::float8 / 1000)
      where platform = $1 and lineage = $2 and witness = $3 and attempts = $4`,
    values: [
      platform,
      lineage,
      witness,
      attempt,
      taken?.size ?? null,
      taken === null ? null : Buffer.from(taken.root),
      failed?.failure ?? null,
      failed?.isConflict ?? false,
      record.againInMs,
    ],
  });
  return rowCount === 1;
};
