import type { Database } from '@grantlog/postgres';
import { type AuditEntry, type AuditQuery, listAuditEvents } from './list-audit-events.ts';

/**
 * Everything that matches, in order, page by page: for exports, which may be of any length and take no more memory for it. What is
 * appended or comes to be indexed meanwhile is left out; the first page says where it ends. Empty pages are not given.
 */
export async function* streamAuditEvents(
  pool: Database,
  query: AuditQuery,
): AsyncGenerator<{ readonly entries: readonly AuditEntry[]; readonly through: number }, void, void> {
  const { filter } = query;
  const first = await listAuditEvents(pool, { limit: 1_000, ...query });
  const { through } = first;
  const to = Math.min(filter.to ?? through, through);
  for (let page = first; ; page = await listAuditEvents(pool, { limit: 1_000, ...query, filter: { ...filter, to }, cursor: page.next })) {
    if (page.entries.length > 0) yield { entries: page.entries, through };
    if (page.next === null) return;
  }
}
