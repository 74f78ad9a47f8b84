import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type pg from 'pg';
import type { SnapshotSealer } from '../log/snapshot-mac.ts';
import { signSnapshot } from '../log/snapshot-mac.ts';

export type NewSnapshot = {
  readonly platform: PlatformId;
  readonly streamId: StreamId;
  readonly version: number;
  readonly follows: readonly StreamId[];
  /** The fold's state as JSON text; signed as these very bytes. */
  readonly state: string;
};

/** Version of the snapshot that stands for each stream, 0 where none does. */
export const snapshotVersions = async (
  client: pg.PoolClient,
  options: { readonly platform: PlatformId; readonly streamIds: readonly StreamId[]; readonly foldVersion: number },
): Promise<ReadonlyMap<StreamId, number>> => {
  const { rows } = await client.query<{ stream_id: StreamId; version: number }>({
    name: 'grantlog.snapshot-versions',
    text: `select w.stream_id, coalesce(s.version, 0) as version from unnest($2::uuid[]) as w(stream_id)
      left join lateral (
        select s.version from stream_state s where s.platform = $1 and s.stream_id = w.stream_id and s.fold_version = $3
      ) s on true`,
    values: [options.platform, options.streamIds, options.foldVersion],
  });
  return new Map(rows.map((row) => [row.stream_id, row.version]));
};

/** Writes snapshots forward: a row that is already further along stays. */
export const upsertSnapshots = async (
  client: pg.PoolClient,
  options: { readonly snapshots: readonly NewSnapshot[]; readonly foldVersion: number; readonly sealer: SnapshotSealer },
): Promise<void> => {
  const { snapshots, foldVersion, sealer } = options;
  if (snapshots.length === 0) return;
  await client.query({
    name: 'grantlog.upsert-snapshots',
    text: `insert into stream_state (platform, stream_id, fold_version, version, follows, state, mac)
      select p, s, $3, v, coalesce(string_to_array(nullif(f, ''), ','), '{}')::uuid[], t, m
      from unnest($1::text[], $2::uuid[], $4::int[], $5::text[], $6::text[], $7::bytea[]) as r(p, s, v, f, t, m)
      order by p, s
      on conflict (platform, stream_id, fold_version) do update
      set version = excluded.version, follows = excluded.follows, state = excluded.state, mac = excluded.mac
      where stream_state.version < excluded.version`,
    values: [
      snapshots.map((snapshot) => snapshot.platform),
      snapshots.map((snapshot) => snapshot.streamId),
      foldVersion,
      snapshots.map((snapshot) => snapshot.version),
      snapshots.map((snapshot) => snapshot.follows.join(',')),
      snapshots.map((snapshot) => snapshot.state),
      snapshots.map((snapshot) => Buffer.from(signSnapshot(sealer, { ...snapshot, foldVersion }))),
    ],
  });
};
