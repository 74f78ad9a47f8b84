import type { Database } from '../deliveries/database.ts';
import type { AuditTree } from './audit-tree.ts';

/** How far a witness has come with a tree. */
export type WitnessStanding = {
  /** A verifier key, or `file:` and a folder. */
  readonly witness: string;
  /** The largest tree that it is known to have taken; 0 where none is. */
  readonly size: number;
  readonly seenAt: Date | null;
  readonly failure: string | null;
  readonly failingSince: Date | null;
  /** When it last held another history than ours. */
  readonly conflictedAt: Date | null;
};

/** The witnesses of a tree, by their names. */
export const listWitnesses = async (
  pool: Database,
  { platform, lineage }: Pick<AuditTree, 'platform' | 'lineage'>,
): Promise<readonly WitnessStanding[]> => {
  const { rows } = await pool.query<WitnessStanding>({
    name: 'grantlog.list-witnesses',
    text: `select witness, size, seen_at as "seenAt", failure, failing_since as "failingSince", conflicted_at as "conflictedAt"
      from audit_witness where platform = $1 and lineage = $2 order by witness`,
    values: [platform, lineage],
  });
  return rows;
};

/** How it is with a witness and a tree. `behind`: it is yet to be told of the latest; `conflicting`: it has another history. */
export const witnessStates = ['current', 'behind', 'failing', 'conflicting'] as const;

export type WitnessState = (typeof witnessStates)[number];

/** Pairs of a witness and a tree of these witnesses, by how it is with them now. */
export const countWitnesses = async (pool: Database, witnesses: readonly string[]): Promise<Readonly<Record<WitnessState, number>>> => {
  const { rows } = await pool.query<{ state: WitnessState; n: number }>({
    name: 'grantlog.count-witnesses',
    text: `select case
        when w.failure is not null and w.conflicted_at >= w.failing_since then 'conflicting'
        when w.failure is not null then 'failing'
        when w.root is not distinct from (select c.root from audit_checkpoint c
          where c.platform = w.platform and c.lineage = w.lineage order by c.size desc limit 1) then 'current'
        else 'behind' end as state, count(*)::int as n
      from audit_witness w join log l on l.platform = w.platform and l.lineage = w.lineage
      where w.witness = any($1) group by 1`,
    values: [witnesses],
  });
  const found = Object.fromEntries(rows.map(({ state, n }) => [state, n]));
  return { current: 0, behind: 0, failing: 0, conflicting: 0, ...found };
};
