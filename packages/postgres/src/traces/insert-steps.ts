import type { Pool } from 'pg';
import type { ConnectionStep } from './connection-step.ts';

/** Keeps steps, in one statement. The first use of a grant is kept once. */
export const insertConnectionSteps = async (pool: Pool, steps: readonly ConnectionStep[]): Promise<void> => {
  if (steps.length === 0) return;
  await pool.query({
    name: 'grantlog.insert-connection-steps',
    text: `insert into connection_step (platform, step, error, detail, attempt, request, client, grant_id, visitor, program)
      select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::text[], $8::uuid[], $9::bytea[], $10::text[])
      on conflict do nothing`,
    values: [
      steps.map(({ platform }) => platform),
      steps.map(({ step }) => step),
      steps.map(({ refusal }) => refusal?.error ?? null),
      steps.map(({ refusal }) => refusal?.detail ?? null),
      steps.map(({ attempt }) => attempt),
      steps.map(({ request }) => request),
      steps.map(({ client }) => client),
      steps.map(({ grant }) => grant),
      steps.map(({ visitor }) => Buffer.from(visitor)),
      steps.map(({ program }) => program),
    ],
  });
};

const batch = 50_000;
/** Of one call: more than a platform can note in an hour, so that no table grows because it is cleared too slowly. */
const maxBatches = 40;

/** Deletes steps older than so many days, a batch at a time, at most two million. Returns how many. */
export const deleteOldConnectionSteps = async (pool: Pool, days: number): Promise<number> => {
  let deleted = 0;
  for (let batches = 0; batches < maxBatches; batches += 1) {
    const { rowCount } = await pool.query(
      `delete from connection_step where (platform, id) in (
        select platform, id from connection_step where at < now() - make_interval(days => $1) order by at limit ${batch})`,
      [days],
    );
    deleted += rowCount ?? 0;
    if ((rowCount ?? 0) < batch) break;
  }
  return deleted;
};
