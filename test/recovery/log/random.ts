/** A source of chance that a seed repeats. */
export type Random = {
  /** A whole number from 0 up to, and without, the limit. */
  readonly below: (limit: number) => number;
  /** Whether something of this probability comes to pass. */
  readonly happens: (probability: number) => boolean;
  /** One of the items, of which there is at least one. */
  readonly pick: <Item>(items: readonly Item[]) => Item;
  /** Some of the items, each at most once, in any order. */
  readonly sample: <Item>(items: readonly Item[], count: number) => readonly Item[];
  /** A source of its own, for what goes on beside: which of them draws first changes nothing. */
  readonly fork: () => Random;
};

/** By mulberry32. */
export const createRandom = (seed: number): Random => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    below,
    happens: (probability) => next() < probability,
    pick: <Item>(items: readonly Item[]): Item => {
      if (items.length === 0) throw new RangeError('there is nothing to pick from');
      return items[below(items.length)] as Item;
    },
    sample: <Item>(items: readonly Item[], count: number): readonly Item[] => {
      const rest = [...items];
      return Array.from({ length: Math.min(count, items.length) }, () => rest.splice(below(rest.length), 1)).flat();
    },
    fork: () => createRandom(below(2 ** 32)),
  };
};
