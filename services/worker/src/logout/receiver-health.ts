/** How each app that is told of logouts has answered this process lately, and so how many requests it gets at once. */
export type ReceiverHealth = {
  /** How many more requests each app may get now that has some or has failed; any other gets {@link requestsAtOnce}. */
  readonly rooms: () => ReadonlyMap<string, number>;
  readonly begun: (receiver: string) => void;
  readonly ended: (receiver: string, answered: boolean) => void;
};

type Known = { readonly open: number; readonly failures: number; readonly spareUntil: number };

const unknown: Known = { open: 0, failures: 0, spareUntil: 0 };

/** Requests that one app gets at once; one that has failed gets one at a time. */
export const requestsAtOnce = 4;
const pauseAfter = 3;
const firstPauseMs = 15_000;
const longestPauseMs = 300_000;

/**
 * Spares apps that do not answer: after three failures in a row nothing is claimed for fifteen seconds, then a single request,
 * and twice as long each time it fails, up to five minutes. Held by each process for itself: it saves attempts and decides nothing.
 *
 * @param now milliseconds of a clock that never steps back.
 */
export const createReceiverHealth = (now: () => number): ReceiverHealth => {
  const known = new Map<string, Known>();
  const of = (receiver: string): Known => known.get(receiver) ?? unknown;
  return {
    rooms: () =>
      new Map(
        [...known].map(([receiver, { open, failures, spareUntil }]) => {
          const most = failures === 0 ? requestsAtOnce : now() < spareUntil ? 0 : 1;
          return [receiver, Math.max(0, most - open)];
        }),
      ),
    begun: (receiver) => void known.set(receiver, { ...of(receiver), open: of(receiver).open + 1 }),
    ended: (receiver, answered) => {
      const open = of(receiver).open - 1;
      if (answered) {
        if (open === 0) known.delete(receiver);
        else known.set(receiver, { ...unknown, open });
        return;
      }
      const failures = of(receiver).failures + 1;
      const pause = failures < pauseAfter ? 0 : Math.min(firstPauseMs * 2 ** (failures - pauseAfter), longestPauseMs);
      known.set(receiver, { open, failures, spareUntil: now() + pause });
    },
  };
};
