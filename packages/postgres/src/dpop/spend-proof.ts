import { LogUnavailable, type PlatformId } from '@grantlog/eventsourcing';
import type { Pool } from 'pg';

/** What became of a proof: taken now, taken before, or of another time than now. */
export type ProofUse = 'spent' | 'replayed' | 'untimely';

/** Seconds that a used proof is remembered for beyond its time, so that a clock that steps back finds it. */
const remembered = 300;

/**
 * Takes a proof of possession, once: of any number of parallel uses on any number of nodes, the insert lets one through.
 * One that is not of now, by the database's clock, is not taken.
 *
 * @param proof.from seconds since the epoch between which, both included, it is good.
 * @throws LogUnavailable when it cannot be recorded: nobody is let through then.
 * @see RFC 9449 §11.1
 */
export const spendProof = async (
  pool: Pool,
  platform: PlatformId,
  proof: { readonly id: Uint8Array; readonly from: number; readonly until: number },
): Promise<ProofUse> => {
  try {
    const { rows } = await pool.query<{ use: ProofUse }>({
      name: 'grantlog.spend-proof',
      text: `
        with clock as materialized (
          select extract(epoch from clock_timestamp()) between $3::float8 and $4::float8 as is_timely
        ), taken as (
          insert into dpop_proof (platform, proof, forget_at)
          select $1, $2, to_timestamp($4::float8) + make_interval(secs => $5) from clock where is_timely
          on conflict do nothing
          returning 1
        )
        select case when not is_timely then 'untimely' when exists (select from taken) then 'spent' else 'replayed' end as use
        from clock`,
      values: [platform, Buffer.from(proof.id), proof.from, proof.until, remembered],
    });
    const [row] = rows;
    if (row === undefined) throw new Error('the clock answers one row');
    return row.use;
  } catch (error) {
    throw new LogUnavailable(`a DPoP proof cannot be recorded: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
};

/** Forgets used proofs whose time is long over, by the database's clock, so many at a time until none is left. Returns how many. */
export const forgetProofs = async (pool: Pool, atOnce = 50_000): Promise<number> => {
  const text = `
    delete from dpop_proof where (platform, proof) in (
      select platform, proof from dpop_proof where forget_at < clock_timestamp() order by forget_at limit $1 for update skip locked
    )`;
  let forgotten = 0;
  for (;;) {
    const { rowCount } = await pool.query(text, [atOnce]);
    forgotten += rowCount ?? 0;
    if ((rowCount ?? 0) < atOnce) return forgotten;
  }
};
