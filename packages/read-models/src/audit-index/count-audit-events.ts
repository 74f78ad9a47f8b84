import type { PlatformId } from '@grantlog/eventsourcing';
import type { Database } from '@grantlog/postgres';
import { type AuditFilter, rangeOf, spellFilter } from './filter.ts';

/** Entries that a count looks at unless told otherwise. */
const usualCap = 10_000;

export type AuditCount = {
  readonly count: number;
  /** False when there were more entries than a count looks at: then there are at least so many. */
  readonly isExact: boolean;
};

type CountQuery = {
  readonly platform: PlatformId;
  readonly filter: AuditFilter;
  /** Most entries looked at, the newest first. Default 10,000. */
  readonly cap?: number;
};

type Row = { readonly through: number; readonly type: string | null; readonly entries: number; readonly is_exact: boolean | null };

/** How many events match, by type, the most frequent first; of what the index has come to at `through`. */
export const countAuditEventsByType = async (
  pool: Database,
  { platform, filter, cap = usualCap }: CountQuery,
): Promise<{
  readonly types: readonly { readonly type: string; readonly count: number }[];
  readonly isExact: boolean;
  readonly through: number;
}> => {
  const { low, high } = rangeOf(filter);
  const { rows } = await pool.query<Row>({
    name: 'grantlog.audit-tally',
    text: 'select * from audit_tally($1, $2, $3, $4, $5)',
    values: [platform, spellFilter(filter), low, high, Math.max(cap, 1)],
  });
  const whole = rows.find(({ type }) => type === null);
  const types = rows.flatMap(({ type, entries }) => (type === null ? [] : [{ type, count: entries }]));
  return {
    types: types.sort((a, b) => b.count - a.count || (a.type < b.type ? -1 : 1)),
    isExact: whole?.is_exact ?? true,
    through: whole?.through ?? 0,
  };
};

/** How many events match: exactly, where no more than `cap` entries have to be looked at for it. */
export const countAuditEvents = async (pool: Database, query: CountQuery): Promise<AuditCount> => {
  const { types, isExact } = await countAuditEventsByType(pool, query);
  return { count: types.reduce((sum, { count }) => sum + count, 0), isExact };
};
