import type { PlatformId, RecordedEvent } from '@grantlog/eventsourcing';
import { type Database, readEventsAfter, readEventsAt } from '@grantlog/postgres';
import type { ExcerptedEvent } from '@grantlog/transparency';
import { type AuditFilter, rangeOf } from '../audit-index/filter.ts';
import { streamAuditEvents } from '../audit-index/stream-audit-events.ts';
import { leavesOf } from './leaves.ts';

/**
 * Events as an excerpt takes them.
 *
 * @param options.base what positions are above the sizes of the tree.
 * @param options.personal `sealed` puts the ciphertext of personal data beside each leaf, `left_out` its digest alone, within the leaf.
 */
export const excerptedOf = (
  events: readonly RecordedEvent[],
  { base, personal }: { readonly base: number; readonly personal: 'sealed' | 'left_out' },
): readonly ExcerptedEvent[] => {
  const leaves = leavesOf(events);
  return events.map((event, n) => ({
    index: event.position - base - 1,
    // A leaf for each event.
    leaf: leaves[n] as Uint8Array,
    personal: personal === 'sealed' ? event.personal : null,
  }));
};

/** Events that one statement reads. */
const page = 1_000;

/** Whether nothing but a range of positions is asked for: then the log itself has it in order, and no index is needed. */
export const isRange = ({ from: _from, to: _to, ...conditions }: AuditFilter): boolean => Object.keys(conditions).length === 0;

/**
 * What an excerpt by a filter has: every event that fits, in order, without its personal data. Of what was removed from the log since it
 * was indexed there is nothing.
 *
 * @param wanted.base the tree begins behind this position.
 * @param wanted.size leaves of the tree; what stands behind them is left out.
 */
export async function* eventsOfFilter(
  pool: Database,
  wanted: { readonly platform: PlatformId; readonly filter: AuditFilter; readonly base: number; readonly size: number },
): AsyncGenerator<ExcerptedEvent, void, void> {
  const { platform, filter, base, size } = wanted;
  const { low, high } = rangeOf(filter);
  const from = Math.max(low, base + 1);
  const to = Math.min(high, base + size);
  if (from > to) return;
  const excerpted = { base, personal: 'left_out' } as const;
  if (!isRange(filter)) {
    for await (const { entries } of streamAuditEvents(pool, { platform, filter: { ...filter, from, to }, order: 'oldest' }))
      yield* excerptedOf(await readEventsAt(pool, { platform, places: entries }), excerpted);
    return;
  }
  for (let after = from - 1; after < to; ) {
    const events = await readEventsAfter(pool, { platform, after, limit: Math.min(page, to - after) });
    yield* excerptedOf(
      events.filter(({ position }) => position <= to),
      excerpted,
    );
    const last = events.at(-1);
    if (last === undefined) return;
    after = last.position;
  }
}
