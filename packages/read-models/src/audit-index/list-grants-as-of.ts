import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Database } from '@grantlog/postgres';
import { waitForPosition } from '../projection/wait-for-position.ts';
import type { Concerned } from './concerns.ts';
import { auditIndex } from './projection.ts';

/** Grants that one call looks at, whatever it is asked. */
const budget = 10_000;

export type GrantsAsOfQuery = {
  readonly platform: PlatformId;
  /** The position of the log as of which grants are asked for. */
  readonly at: number;
  readonly client?: StreamId;
  readonly account?: StreamId;
  /** `next` of the page before. */
  readonly cursor?: number | null;
  /** 1 to 1,000; default 50. */
  readonly limit?: number;
};

/** A grant that may have been live. */
export type GrantAsOf = Concerned & {
  readonly grantId: StreamId;
  /** Position of its first event. */
  readonly began: number;
  /** Position of its own event that ended it since, whenever that was; null where none has. */
  readonly ended: number | null;
};

export type GrantsAsOf = {
  readonly grants: readonly GrantAsOf[];
  /** Give it as `cursor` for the next page. Null on the last. */
  readonly next: number | null;
  /** The position that the index has come to. Below `at`, grants that began in between are missing. */
  readonly through: number;
};

type Row = Concerned & {
  readonly part: 'b' | 'g' | 'l' | 'h';
  readonly position: number;
  readonly grant_id: StreamId;
  readonly ended: number | null;
};

/**
 * Grants that had begun at a position and that no event of their own had ended by then, the latest first. More than were live:
 * whether its client, account or platform had ended one, or its time was over, the fold of each as of then says. Waits (at most
 * 500 ms) until the index has come to the position. A call looks at 10,000 grants at most, so a page may be short and not the last.
 */
export const listGrantsAsOf = async (pool: Database, query: GrantsAsOfQuery): Promise<GrantsAsOf> => {
  const { platform, at, client, account, cursor } = query;
  const limit = Math.min(Math.max(query.limit ?? 50, 1), 1_000);
  // Whoever has come to a later page has waited.
  if (cursor === undefined || cursor === null) await waitForPosition(pool, { name: auditIndex.name, platform, minPosition: at });
  const { rows } = await pool.query<Row>({
    name: 'grantlog.audit-grants',
    text: 'select * from audit_grants($1, $2, $3, $4, $5, $6, $7)',
    values: [platform, at, client ?? null, account ?? null, cursor ?? Number.MAX_SAFE_INTEGER, budget, limit + 1],
  });
  const found = rows
    .filter(({ part }) => part === 'g' || part === 'l')
    .map((row) => ({
      grantId: row.grant_id,
      began: row.position,
      ended: row.ended,
      client: row.client,
      account: row.account,
      session: row.session,
    }));
  const grants = found.slice(0, limit);
  const horizon = rows.find(({ part }) => part === 'l' || part === 'h')?.position ?? null;
  return {
    grants,
    next: found.length > limit ? (grants.at(-1)?.began ?? null) : horizon,
    through: rows.find(({ part }) => part === 'b')?.position ?? 0,
  };
};
