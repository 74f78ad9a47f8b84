import { UsageError } from '../command.ts';

/** `--limit` as a number. */
export const readLimit = (text: string): number => {
  const limit = Number(text);
  if (!/^\d{1,9}$/.test(text) || limit < 1) throw new UsageError('--limit is a whole number from 1 on');
  return limit;
};

/**
 * Follows pages until so much has been shown, and answers whether there may be more. A page may be short and not the last.
 *
 * @param pages.ask the page at a cursor, of at most so many items; `next` is null on the last.
 */
export const followPages = async <Item>(pages: {
  readonly limit: number;
  readonly pageSize: number;
  readonly ask: (page: {
    readonly limit: number;
    readonly cursor: number | undefined;
  }) => Promise<{ readonly items: readonly Item[]; readonly next: number | null }>;
  readonly show: (items: readonly Item[]) => void;
}): Promise<{ readonly shown: number; readonly hasMore: boolean }> => {
  const { limit, pageSize, ask, show } = pages;
  let shown = 0;
  let cursor: number | undefined;
  while (shown < limit) {
    const { items, next } = await ask({ limit: Math.min(limit - shown, pageSize), cursor });
    show(items);
    shown += items.length;
    if (next === null) return { shown, hasMore: false };
    cursor = next;
  }
  return { shown, hasMore: true };
};
