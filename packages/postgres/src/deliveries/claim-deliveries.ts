import type { StreamId } from '@grantlog/eventsourcing';
import type { Database } from './database.ts';
import type { EndpointLane } from './delivery.ts';

/** A delivery of which this process alone may make the attempt that it names, until the claim runs out. */
export type ClaimedDelivery = {
  readonly id: string;
  readonly subject: StreamId;
  readonly position: number;
  readonly type: string;
  readonly body: string;
  /** The fence: recording is refused under any other number. */
  readonly attempt: number;
  /** Attempts that failed before this one. */
  readonly failures: number;
};

/**
 * Claims due deliveries of one endpoint and lane as one micro-batch, in position order.
 *
 * `ordered` claims only the head of each subject's line, whatever lane the head is in.
 * Two claimers never get the same row; a claim ends by being recorded, released, or running out after `claimMs`.
 */
export const claimDeliveries = async (
  pool: Database,
  claim: EndpointLane & { readonly ordered: boolean; readonly limit: number; readonly claimMs: number },
): Promise<readonly ClaimedDelivery[]> => {
  const { rows } = await pool.query<ClaimedDelivery>({
    name: claim.ordered ? 'grantlog.claim-ordered' : 'grantlog.claim',
    text: `with due as (
        select d.platform, d.id from delivery d
        where d.platform = $1 and d.endpoint = $2 and d.lane = $3 and d.state = 'pending' and d.due_at <= now()
          ${claim.ordered ? headOfLine : ''}
        order by d.due_at, d.position limit $4
        for update of d skip locked
      )
      update delivery d set state = 'claimed', attempt = d.attempt + 1, claimed_until = now() + make_interval(secs => $5::float8 / 1000)
      from due where d.platform = due.platform and d.id = due.id
      returning d.id, d.subject, d.position, d.type, d.body, d.attempt, d.failures`,
    values: [claim.platform, claim.endpoint, claim.lane, claim.limit, claim.claimMs],
  });
  return rows.sort((a, b) => a.position - b.position);
};

const headOfLine = `and not exists (
            select 1 from delivery h
            where h.platform = d.platform and h.endpoint = d.endpoint and h.subject = d.subject
              and h.state in ('pending', 'claimed') and h.position < d.position)`;

/** Gives claims back unsent, as if they had never been made. */
export const releaseClaims = async (
  pool: Database,
  claims: { readonly platform: string; readonly deliveries: readonly ClaimedDelivery[] },
): Promise<void> => {
  if (claims.deliveries.length === 0) return;
  await pool.query({
    name: 'grantlog.release-claims',
    // The attempt's number is not handed out again: whoever still holds it must find its fence closed.
    text: `update delivery d set state = 'pending', claimed_until = null
      from unnest($2::uuid[], $3::int[]) as c(id, attempt)
      where d.platform = $1 and d.id = c.id and d.attempt = c.attempt and d.state = 'claimed'`,
    values: [claims.platform, claims.deliveries.map(({ id }) => id), claims.deliveries.map(({ attempt }) => attempt)],
  });
};
