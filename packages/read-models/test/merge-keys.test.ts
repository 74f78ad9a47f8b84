import { array, assert, boolean, integer, property, uniqueArray } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AuditOrder, type FoundKey, mergeKeys } from '../src/audit-index/merge-keys.ts';

type Entry = { readonly position: number; readonly key: number };

/** What a database with these entries answers: of each key a share of what lies beyond the cursor is looked at, and some of it fits. */
const look = (
  keys: readonly (readonly Entry[])[],
  of: { readonly order: AuditOrder; readonly cursor: number | null; readonly share: number; readonly most: number },
  fits: (entry: Entry) => boolean,
): readonly FoundKey<Entry>[] => {
  const sign = of.order === 'newest' ? -1 : 1;
  return keys.map((ofKey) => {
    const beyond = ofKey
      .filter(({ position }) => of.cursor === null || sign * position > sign * of.cursor)
      .sort((a, b) => sign * (a.position - b.position));
    const looked = beyond.slice(0, of.share);
    const entries = looked.filter(fits).slice(0, of.most);
    const last = (list: readonly Entry[]): number | null => list.at(-1)?.position ?? null;
    if (entries.length === of.most) return { entries, horizon: last(entries) };
    return { entries, horizon: looked.length === of.share ? last(looked) : null };
  });
};

describe('pages of what stands under several keys', () => {
  test('give everything exactly once and in order, however little one call looks at', () => {
    assert(
      property(
        uniqueArray(integer({ min: 1, max: 200 }), { maxLength: 60 }),
        array(integer({ min: 0, max: 3 }), { minLength: 60, maxLength: 60 }),
        integer({ min: 1, max: 8 }),
        integer({ min: 1, max: 6 }),
        boolean(),
        (positions, keyOf, limit, share, isNewest) => {
          const order = isNewest ? 'newest' : 'oldest';
          const entries = positions.map((position, index) => ({ position, key: keyOf[index] ?? 0 }));
          const keys = [0, 1, 2, 3].map((key) => entries.filter((entry) => entry.key === key));
          const fits = ({ position }: Entry): boolean => position % 3 !== 0;
          const seen: number[] = [];
          let cursor: number | null = null;
          for (let pages = 0; pages <= 400; pages += 1) {
            const page: ReturnType<typeof mergeKeys<Entry>> = mergeKeys(look(keys, { order, cursor, share, most: limit + 1 }, fits), {
              order,
              limit,
            });
            expect(page.entries.length).toBeLessThanOrEqual(limit);
            seen.push(...page.entries.map(({ position }) => position));
            cursor = page.next;
            if (cursor === null) break;
          }
          const expected = entries.filter(fits).map(({ position }) => position);
          expect(cursor).toBeNull();
          expect(seen).toEqual(expected.sort((a, b) => (isNewest ? b - a : a - b)));
        },
      ),
    );
  });

  test('a page with everything is the last', () => {
    const entries = [3, 2, 1].map((position) => ({ position }));
    expect(mergeKeys([{ entries, horizon: null }], { order: 'newest', limit: 3 })).toEqual({ entries, next: null });
    expect(mergeKeys([], { order: 'newest', limit: 3 })).toEqual({ entries: [], next: null });
  });
});
