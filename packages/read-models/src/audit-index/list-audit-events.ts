import type { Actor, CommitId, PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Database } from '@grantlog/postgres';
import { waitForPosition } from '../projection/wait-for-position.ts';
import type { Concerned } from './concerns.ts';
import { type AuditFilter, rangeOf, spellFilter } from './filter.ts';
import { type AuditOrder, type FoundKey, mergeKeys } from './merge-keys.ts';
import { auditIndex } from './projection.ts';

/** Entries that one call looks at, whatever it is asked: some 20 ms of the database where they lie scattered. */
const budget = 10_000;

export type AuditQuery = {
  readonly platform: PlatformId;
  readonly filter: AuditFilter;
  readonly order: AuditOrder;
  /** `next` of the page before. */
  readonly cursor?: number | null;
  /** 1 to 1,000; default 50. */
  readonly limit?: number;
  /** Wait (at most 500 ms) until the index contains this position of the log. */
  readonly minPosition?: number;
};

/** An event as the index knows it. What it says is read by {@link readAuditEvents}. */
export type AuditEntry = Concerned & {
  readonly position: number;
  /** The latest time at which anything up to here was recorded, in milliseconds since the epoch: it never runs backwards. */
  readonly clock: number;
  readonly streamId: StreamId;
  readonly version: number;
  readonly type: string;
  readonly grant: StreamId | null;
  readonly actor: Actor;
  readonly trace: string;
  readonly commitId: CommitId;
  /** The keyed hash of the address it came from; null where it tells none, or not any more. */
  readonly ip: Uint8Array | null;
};

export type AuditPage = {
  readonly entries: readonly AuditEntry[];
  /** Give it as `cursor` for the next page: everything up to here was looked at. Null on the last. */
  readonly next: number | null;
  /** The position that the index has come to: what stands behind it is in no page yet. */
  readonly through: number;
  /** False when `minPosition` was not reached in time. */
  readonly current: boolean;
};

type Row = Concerned & {
  readonly part: 'b' | 'e' | 'l' | 'h';
  readonly key: string | null;
  readonly position: number;
  readonly clock_ms: number;
  readonly stream_id: StreamId;
  readonly version: number;
  readonly type: string;
  readonly actor_kind: Actor['kind'];
  readonly actor_id: string;
  readonly trace: string;
  readonly commit_id: CommitId;
  readonly ip: Buffer | null;
};

const entryOf = (row: Row): AuditEntry => ({
  position: row.position,
  clock: row.clock_ms,
  streamId: row.stream_id,
  version: row.version,
  type: row.type,
  account: row.account,
  client: row.client,
  session: row.session,
  grant: row.type.startsWith('grant.') ? row.stream_id : null,
  actor: { kind: row.actor_kind, id: row.actor_id },
  trace: row.trace,
  commitId: row.commit_id,
  ip: row.ip,
});

/** What was found under each key that was looked at. */
const foundIn = (rows: readonly Row[]): readonly FoundKey<AuditEntry>[] =>
  [...Map.groupBy(rows, ({ key }) => key).values()].map((ofKey) => {
    const entries = ofKey.filter(({ part }) => part === 'e' || part === 'l').map(entryOf);
    return { entries, horizon: ofKey.find(({ part }) => part === 'l' || part === 'h')?.position ?? null };
  });

/**
 * One page of a platform's events by whom they concern, who caused them, from where and when. A call looks at 10,000 entries at
 * most, so a page may be short or empty and not be the last: `next` says how far it looked. Pages do not shift under appends.
 */
export const listAuditEvents = async (pool: Database, query: AuditQuery): Promise<AuditPage> => {
  const { platform, filter, order, cursor = null, minPosition } = query;
  const limit = Math.min(Math.max(query.limit ?? 50, 1), 1_000);
  const current = minPosition === undefined || (await waitForPosition(pool, { name: auditIndex.name, platform, minPosition }));
  const isNewest = order === 'newest';
  const { low, high } = rangeOf(filter);
  const { rows } = await pool.query<Row>({
    name: 'grantlog.audit-page',
    text: 'select * from audit_page($1, $2, $3, $4, $5, $6, $7)',
    values: [
      platform,
      spellFilter(filter),
      isNewest || cursor === null ? low : Math.max(low, cursor + 1),
      isNewest && cursor !== null ? Math.min(high, cursor - 1) : high,
      isNewest,
      budget,
      // One more, which tells whether the page is the last.
      limit + 1,
    ],
  });
  const found = foundIn(rows.filter(({ part }) => part !== 'b'));
  return { ...mergeKeys(found, { order, limit }), through: rows.find(({ part }) => part === 'b')?.position ?? 0, current };
};
