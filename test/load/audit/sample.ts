import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Pool } from '@grantlog/postgres';
import type { Random } from '../../recovery/log/random.ts';

/** An entry of the index, drawn by chance: what somebody who asks has in hand. */
export type Sampled = {
  readonly position: number;
  readonly clock: number;
  readonly stream: StreamId;
  readonly type: string;
  readonly account: StreamId | null;
  readonly client: StreamId | null;
  readonly session: StreamId | null;
  readonly actor: string;
  readonly trace: string;
  readonly commit: string;
  readonly ip: Buffer | null;
};

/** Entries at random positions of the whole index, in no order. */
export const sampleEntries = async (
  pool: Pool,
  of: { readonly platform: PlatformId; readonly head: number; readonly random: Random; readonly count: number },
): Promise<readonly Sampled[]> => {
  const positions = Array.from({ length: of.count }, () => 1 + of.random.below(of.head));
  const { rows } = await pool.query<Sampled>(
    `select i.position, (extract(epoch from i.clock) * 1000)::float8 as clock, i.stream_id as stream, i.type, i.account, i.client, i.session,
       i.actor_id as actor, i.trace, i.commit_id as commit, i.ip
     from audit_entry i join projection p on p.platform = i.platform and p.name = 'audit-index' and p.live_generation = i.generation
     where i.platform = $1 and i.position = any ($2)`,
    [of.platform, positions],
  );
  return rows;
};
