import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Database } from '../deliveries/database.ts';

/** An app to be told of the end of a sign-in, of which this process alone may make the attempt that it names, until the claim runs out. */
export type ClaimedLogout = {
  readonly platform: PlatformId;
  readonly id: string;
  readonly client: StreamId;
  readonly signIn: StreamId;
  readonly account: StreamId;
  /** Counts from 1, and is the fence: recording is refused under any other number. */
  readonly attempt: number;
};

/** The name by which {@link claimLogouts} bounds an app. */
export const receiverName = ({ platform, client }: Pick<ClaimedLogout, 'platform' | 'client'>): string => `${platform} ${client}`;

/**
 * Claims notices that are due, of each app those that wait longest, of the apps a random choice: an app with a long backlog
 * holds up no other. Two claimers never get the same one, and a claim that is not recorded ends after `claimMs`.
 *
 * A skip scan finds the apps: it visits one index entry for each that has anything to be told.
 *
 * @param claim.rooms how many of an app's may be claimed, by its {@link receiverName}, where that is not `perClient`.
 */
export const claimLogouts = async (
  pool: Database,
  claim: { readonly limit: number; readonly perClient: number; readonly rooms: ReadonlyMap<string, number>; readonly claimMs: number },
): Promise<readonly ClaimedLogout[]> => {
  const { rows } = await pool.query<ClaimedLogout>({
    name: 'grantlog.claim-logouts',
    text: `with recursive receiver as (
        (select platform, client from logout_notice where state = 'due' order by platform, client limit 1)
        union all
        select n.platform, n.client from receiver r cross join lateral (
          select l.platform, l.client from logout_notice l
          where l.state = 'due' and (l.platform, l.client) > (r.platform, r.client)
          order by l.platform, l.client limit 1
        ) n
      ), chosen as (
        select r.platform, r.client, coalesce(b.room, $2) as room
        from receiver r left join unnest($3::text[], $4::int[]) as b(name, room) on b.name = r.platform || ' ' || r.client
        where coalesce(b.room, $2) > 0 order by random()
      ), due as (
        select d.platform, d.id from chosen c cross join lateral (
          select l.platform, l.id from logout_notice l
          where l.state = 'due' and l.platform = c.platform and l.client = c.client and coalesce(l.claimed_until, l.due_at) <= now()
          order by coalesce(l.claimed_until, l.due_at) limit c.room
          for update skip locked
        ) d
        limit $1
      )
      update logout_notice l set attempts = l.attempts + 1, claimed_until = now() + make_interval(secs => $5::float8 / 1000)
      from due where l.platform = due.platform and l.id = due.id
      returning l.platform, l.id, l.client, l.sign_in as "signIn", l.account, l.attempts as attempt`,
    values: [claim.limit, claim.perClient, [...claim.rooms.keys()], [...claim.rooms.values()], claim.claimMs],
  });
  return rows;
};
