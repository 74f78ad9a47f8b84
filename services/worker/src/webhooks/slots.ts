import { type Lane, lanes } from '@grantlog/postgres';

/** Requests that a process has under way at once, over all endpoints. */
export type Slots = {
  /**
   * Takes a slot for an endpoint that has so many requests under way; false where there is none, and then `rouse` is called
   * once there is one again. Revocations come first.
   */
  readonly take: (lane: Lane, underWay: number, rouse: () => void) => boolean;
  readonly giveBack: () => void;
};

/** Requests under way that count as few. */
const few = 2;

/** Who waits for a slot, by lane. */
const createWaiting = () => {
  const byLane = lanes.map(() => new Set<() => void>());
  return {
    add: (lane: Lane, rouse: () => void): void => void byLane[lane]?.add(rouse),
    next: (): (() => void) | undefined => {
      const waiting = byLane.find(({ size }) => size > 0);
      const [next] = waiting ?? [];
      if (next !== undefined) waiting?.delete(next);
      return next;
    },
  };
};

/**
 * @param of.most all slots.
 * @param of.kept those of them that only endpoints with few requests get: some that fall silent with a hundred each, or that
 * wait for the sockets of one server, keep nobody else waiting.
 */
export const createSlots = (of: { readonly most: number; readonly kept: number }): Slots => {
  let free = of.most;
  const withFew = createWaiting();
  const withMany = createWaiting();
  let isRousing = false;
  return {
    take: (lane, underWay, rouse) => {
      const hasFew = underWay < few;
      if (free <= (hasFew ? 0 : of.kept)) {
        (hasFew ? withFew : withMany).add(lane, rouse);
        return false;
      }
      free -= 1;
      return true;
    },
    giveBack: () => {
      free += 1;
      // Given back by whoever was just roused: who roused it goes on.
      if (isRousing) return;
      isRousing = true;
      // Whoever is roused may not want it any more; then it is the next one's.
      while (free > 0) {
        const next = withFew.next() ?? (free > of.kept ? withMany.next() : undefined);
        if (next === undefined) break;
        next();
      }
      isRousing = false;
    },
  };
};
