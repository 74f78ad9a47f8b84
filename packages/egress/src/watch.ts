import type { Exchange } from './exchange.ts';

/** How late an exchange may be ended, in milliseconds. */
const periodMs = 50;

export type Watch = {
  readonly add: (exchange: Exchange) => void;
  readonly delete: (exchange: Exchange) => void;
  /** Everything that is under way. */
  readonly all: () => readonly Exchange[];
};

/** One clock for all exchanges: a timer and an abort signal for each would cost more than sending a small request does. */
export const createWatch = (): Watch => {
  const underWay = new Set<Exchange>();
  let isLooking = false;
  const look = (): void => {
    const now = performance.now();
    for (const exchange of underWay) exchange.check(now);
    isLooking = underWay.size > 0;
    if (isLooking) setTimeout(look, periodMs);
  };
  return {
    add: (exchange) => {
      underWay.add(exchange);
      if (isLooking) return;
      isLooking = true;
      setTimeout(look, periodMs);
    },
    delete: (exchange) => void underWay.delete(exchange),
    all: () => [...underWay],
  };
};
