import type { Resolver } from './resolver.ts';

/**
 * Look-ups that may be under way in this process. The system's resolver holds a thread of the pool that passwords are
 * hashed on, for as long as the name server of a stranger's name keeps it waiting: half of the four is what they may hold.
 */
let free = 2;
const queue: (() => void)[] = [];

/** Waits for a turn; whoever takes one ends it when the resolver has answered, however late: until then it holds its thread. */
export const takeTurn = async (): Promise<void> => {
  if (free > 0) {
    free -= 1;
    return;
  }
  const turn = Promise.withResolvers<void>();
  queue.push(turn.resolve);
  await turn.promise;
};

export const endTurn = (): void => {
  const next = queue.shift();
  if (next === undefined) free += 1;
  else next();
};

/** The same resolver, asked when it has its turn, and not any more for whoever has stopped waiting by then. */
export const inTurn =
  (resolve: Resolver, patienceMs: number): Resolver =>
  async (hostname) => {
    const asked = performance.now();
    await takeTurn();
    try {
      return performance.now() - asked < patienceMs ? await resolve(hostname) : [];
    } finally {
      endTurn();
    }
  };
