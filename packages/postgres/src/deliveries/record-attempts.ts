import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Database } from './database.ts';

/** How one attempt ended and what becomes of its delivery. */
export type AttemptRecord = {
  readonly id: string;
  readonly attempt: number;
  readonly outcome: 'delivered' | 'rejected' | 'gone' | 'unreachable' | 'refused';
  readonly status: number | null;
  /** Fixed text for the endpoint's owner: no address, nothing the receiver wrote. */
  readonly detail: string;
  readonly durationMs: number | null;
  /** Milliseconds from now to the next attempt; null when this was the last. */
  readonly retryInMs: number | null;
};

/** What the batch says about the endpoint: the failures at its end, and whether anything succeeded. */
export type HealthChange = {
  readonly anySuccess: boolean;
  /** Failures after the last success of the batch, or all of them. */
  readonly failures: number;
  /** Consecutive failures from which the circuit opens. */
  readonly openAfter: number;
  readonly openForMs: { readonly base: number; readonly most: number };
};

export type RecordedHealth = {
  /** Attempts that were recorded; fewer than given when claims had run out. */
  readonly recorded: number;
  readonly consecutiveFailures: number;
  /** Milliseconds for which the endpoint has only failed; null while its last answer was a success. */
  readonly failingForMs: number | null;
  readonly openForMs: number | null;
};

/**
 * Records a batch of outcomes in one statement: the attempts, what follows for each delivery, and the endpoint's health.
 * An attempt whose claim has passed to somebody else changes nothing.
 */
export const recordAttempts = async (
  pool: Database,
  batch: {
    readonly platform: PlatformId;
    readonly endpoint: StreamId;
    readonly attempts: readonly AttemptRecord[];
    readonly health: HealthChange;
  },
): Promise<RecordedHealth> => {
  const { attempts, health } = batch;
  const { rows } = await pool.query<RecordedHealth>({
    name: 'grantlog.record-attempts',
    text: `with offered as (
        select * from unnest($3::uuid[], $4::int[], $5::text[], $6::smallint[], $7::text[], $8::int[], $9::float8[])
          as o(id, attempt, outcome, status, detail, duration_ms, retry_ms)
      ), fenced as (
        update delivery d set
          state = case when o.outcome = 'delivered' then 'delivered' when o.retry_ms is null then 'failed' else 'pending' end,
          lane = case when o.retry_ms is null then d.lane else 2 end,
          failures = d.failures + (o.outcome <> 'delivered')::int,
          due_at = now() + make_interval(secs => coalesce(o.retry_ms, 0) / 1000),
          claimed_until = null,
          finished_at = case when o.retry_ms is null then now() end
        from offered o
        where d.platform = $1 and d.id = o.id and d.attempt = o.attempt and d.state = 'claimed'
        returning d.id, d.attempt
      ), written as (
        insert into attempt (platform, delivery, attempt, outcome, status, detail, duration_ms)
        select $1, o.id, o.attempt, o.outcome, o.status, o.detail, o.duration_ms from offered o join fenced f using (id, attempt)
        returning 1
      ), healed as (
        insert into endpoint_health as h (platform, endpoint, consecutive_failures, failing_since, last_success_at, last_failure_at, open_until)
        values ($1, $2, $11, case when $11 > 0 then now() end, case when $10 then now() end, case when $11 > 0 then now() end,
          case when $11 >= $12 then now() + make_interval(secs => $13::float8 / 1000) end)
        on conflict (platform, endpoint) do update set
          consecutive_failures = case when $10 then $11 else h.consecutive_failures + $11 end,
          failing_since = case when $11 = 0 then null when $10 then now() else coalesce(h.failing_since, now()) end,
          last_success_at = case when $10 then now() else h.last_success_at end,
          last_failure_at = case when $11 > 0 then now() else h.last_failure_at end,
          open_until = case
            when $11 = 0 or ($10 and $11 < $12) or (not $10 and h.consecutive_failures + $11 < $12) then null
            else now() + make_interval(secs => least($14::float8, $13::float8 * power(2, least(20, case when $10 then $11 else h.consecutive_failures + $11 end - $12))) / 1000)
          end
        returning consecutive_failures, failing_since, open_until
      )
      select (select count(*)::int from written) as "recorded", consecutive_failures as "consecutiveFailures",
        (extract(epoch from now() - failing_since) * 1000)::float8 as "failingForMs",
        (extract(epoch from open_until - now()) * 1000)::float8 as "openForMs"
      from healed`,
    values: [
      batch.platform,
      batch.endpoint,
      attempts.map((attempt) => attempt.id),
      attempts.map((attempt) => attempt.attempt),
      attempts.map((attempt) => attempt.outcome),
      attempts.map((attempt) => attempt.status),
      attempts.map((attempt) => attempt.detail),
      attempts.map((attempt) => attempt.durationMs),
      attempts.map((attempt) => attempt.retryInMs),
      health.anySuccess,
      health.failures,
      health.openAfter,
      health.openForMs.base,
      health.openForMs.most,
    ],
  });
  const [row] = rows;
  if (row === undefined) throw new Error('recording attempts answered nothing');
  return row;
};
