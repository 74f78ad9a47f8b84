/** A source of chance that a seed repeats (mulberry32). */
export const createRandom = (seed: number) => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    /** A whole number from 0 up to, and without, the limit. */
    below,
    /** Whether something of this probability comes to pass. */
    happens: (probability: number): boolean => next() < probability,
    /** One of the items, of which there is at least one. */
    pick: <Item>(items: readonly Item[]): Item => {
      if (items.length === 0) throw new RangeError('there is nothing to pick from');
      return items[below(items.length)] as Item;
    },
    /** Some of the items, each at most once, in any order. */
    sample: <Item>(items: readonly Item[], count: number): readonly Item[] => {
      const rest = [...items];
      return Array.from({ length: Math.min(count, items.length) }, () => rest.splice(below(rest.length), 1)).flat();
    },
  };
};

export type Random = ReturnType<typeof createRandom>;
