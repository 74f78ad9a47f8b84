import type { PlatformId } from '@grantlog/eventsourcing';
import type { Database } from '../deliveries/database.ts';

/** A tree that this process alone may tell a witness of, until the claim runs out. */
export type ClaimedWitness = {
  readonly platform: PlatformId;
  readonly lineage: string;
  readonly witness: string;
  /** The largest tree that the witness is known to have; 0 where none is. */
  readonly size: number;
  /** Counts from 1, and is the fence: recording is refused under any other number. */
  readonly attempt: number;
  /** Attempts that failed since the last that did not. */
  readonly failures: number;
};

/** Makes an entry for every witness and tree that lacks one. */
export const ensureWitnesses = async (pool: Database, witnesses: readonly string[]): Promise<void> => {
  await pool.query({
    name: 'grantlog.ensure-witnesses',
    text: `insert into audit_witness (platform, lineage, witness)
      select t.platform, t.lineage, w from audit_tree t
      join log l on l.platform = t.platform and l.lineage = t.lineage
      cross join unnest($1::text[]) as w
      where not exists (select 1 from audit_witness a where a.platform = t.platform and a.lineage = t.lineage and a.witness = w)
      on conflict do nothing`,
    values: [witnesses],
  });
};

/**
 * Claims one tree that a witness is due to be told of: what is signed of it is not what the witness is known to have. The tree that
 * waits longest comes first; two claimers never get the same one, and a claim that is not recorded ends after `claimMs`.
 */
export const claimWitness = async (
  pool: Database,
  { witness, claimMs }: { readonly witness: string; readonly claimMs: number },
): Promise<ClaimedWitness | null> => {
  const { rows } = await pool.query<ClaimedWitness>({
    name: 'grantlog.claim-witness',
    // While tiles are made anew, nothing can be proved of what is signed.
    text: `with due as (
        select w.platform, w.lineage from audit_witness w
        join audit_tree t on t.platform = w.platform and t.lineage = w.lineage
        join log l on l.platform = w.platform and l.lineage = w.lineage
        cross join lateral (
          select c.size, c.root from audit_checkpoint c
          where c.platform = w.platform and c.lineage = w.lineage order by c.size desc limit 1
        ) signed
        where w.witness = $1 and w.due_at <= clock_timestamp() and (w.claimed_until is null or w.claimed_until <= clock_timestamp())
          and t.size >= signed.size and (w.size <> signed.size or w.root is distinct from signed.root)
        order by w.due_at limit 1
        for update of w skip locked
      )
      update audit_witness w set attempts = w.attempts + 1, claimed_until = clock_timestamp() + make_interval(secs => $2::float8 / 1000)
      from due where w.platform = due.platform and w.lineage = due.lineage and w.witness = $1
      returning w.platform, w.lineage, w.witness, w.size, w.attempts as attempt, w.failures`,
    values: [witness, claimMs],
  });
  return rows[0] ?? null;
};
