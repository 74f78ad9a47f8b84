/** In which order of the log entries are listed. */
export type AuditOrder = 'newest' | 'oldest';

/** What was found under one key of an index, nearest first. Beyond `horizon` there may be more; null where there is not. */
export type FoundKey<Entry> = { readonly entries: readonly Entry[]; readonly horizon: number | null };

/**
 * One page out of what was found under several keys. An entry beyond the nearest horizon waits for a later page: under another key
 * one might come before it. `next` is null when there is nothing more.
 */
export const mergeKeys = <Entry extends { readonly position: number }>(
  found: readonly FoundKey<Entry>[],
  { order, limit }: { readonly order: AuditOrder; readonly limit: number },
): { readonly entries: readonly Entry[]; readonly next: number | null } => {
  const sign = order === 'newest' ? -1 : 1;
  const horizons = found.map(({ horizon }) => horizon).filter((horizon) => horizon !== null);
  const nearest = horizons.length === 0 ? null : horizons.reduce((a, b) => (sign * a < sign * b ? a : b));
  const within = found
    .flatMap(({ entries }) => entries)
    .filter(({ position }) => nearest === null || sign * position <= sign * nearest)
    .sort((a, b) => sign * (a.position - b.position));
  const entries = within.slice(0, limit);
  return { entries, next: within.length > limit ? (entries.at(-1)?.position ?? nearest) : nearest };
};
