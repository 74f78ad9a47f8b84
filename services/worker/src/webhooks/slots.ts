import { type Lane, lanes } from '@grantlog/postgres';

/** Requests that a process has under way at once, over all endpoints. */
export type Slots = {
  /** Takes a slot; false where there is none, and then `rouse` is called once there is one again. Revocations come first. */
  readonly take: (lane: Lane, rouse: () => void) => boolean;
  readonly giveBack: () => void;
};

export const createSlots = (most: number): Slots => {
  let free = most;
  const starved = lanes.map(() => new Set<() => void>());
  return {
    take: (lane, rouse) => {
      if (free === 0) {
        starved[lane]?.add(rouse);
        return false;
      }
      free -= 1;
      return true;
    },
    giveBack: () => {
      free += 1;
      // Whoever is roused may not want it any more; then it is the next one's.
      while (free > 0) {
        const waiting = starved.find(({ size }) => size > 0);
        const [next] = waiting ?? [];
        if (next === undefined) return;
        waiting?.delete(next);
        next();
      }
    },
  };
};
