import { type Database, type Feed, type FeedPlace, feedsWithNews, listenTo, toldChannel } from '@grantlog/postgres';
import { waitingRoomFull, waitingTooOften } from './refusals.ts';

/** What ends a wait: something after the place, the time, the caller who went away, or the end of this process. */
type Waited = 'news' | 'time' | 'left' | 'closing';

/** One caller's leave to wait, until given back. */
export type Seat = {
  readonly wait: (
    feed: Feed & { readonly after: FeedPlace },
    options: { readonly ms: number; readonly signal: AbortSignal },
  ) => Promise<Waited>;
  readonly leave: () => void;
};

/** Where requests wait for news without a connection of their own. */
export type WaitingRoom = {
  /** @throws ProblemError 429 where the caller has too many, 503 where all have */
  readonly enter: (caller: string) => Seat;
  readonly isClosing: () => boolean;
  /** Sends everybody away at once, and lets nobody wait any more. */
  readonly close: () => void;
  readonly stop: () => Promise<void>;
};

/** Milliseconds between two looks of one process, however often it is woken. */
const pause = 10;
/** Feeds that one statement asks about. */
const atOnce = 500;

type Waiting = { readonly feed: Feed & { readonly after: FeedPlace }; readonly settle: (outcome: Waited) => void };

/**
 * Opens the waiting room of a process. All who wait share one listener and one question at a time, so that what they cost
 * grows with neither their number nor how much is told.
 *
 * @param options.listenUrl where to LISTEN, past any pooler; without it, or for a wake-up that got lost, the room polls.
 */
export const openWaitingRoom = (options: {
  readonly pool: Database;
  readonly listenUrl: string | null;
  readonly most?: number;
  readonly mostOfOne?: number;
  readonly onError: (error: unknown) => void;
}): WaitingRoom => {
  const { pool, listenUrl, most = 1_000, mostOfOne = 16, onError } = options;
  const seats = new Map<string, number>();
  const waiting = new Set<Waiting>();
  let taken = 0;
  let closing = false;
  let timer: NodeJS.Timeout | null = null;
  let isLooking = false;
  let isWoken = false;
  let last = 0;

  const look = async (): Promise<void> => {
    timer = null;
    isWoken = false;
    isLooking = true;
    last = performance.now();
    const asked = [...waiting];
    try {
      for (let from = 0; from < asked.length; from += atOnce) {
        const part = asked.slice(from, from + atOnce);
        const found = await feedsWithNews(
          pool,
          part.map(({ feed }) => feed),
        );
        for (const index of found) part[index]?.settle('news');
      }
    } catch (error) {
      // The next poll asks again.
      onError(error);
    }
    isLooking = false;
    if (isWoken) wake();
  };
  const wake = (): void => {
    isWoken = true;
    if (isLooking || waiting.size === 0 || closing) return;
    timer ??= setTimeout(() => void look(), Math.max(0, last + pause - performance.now()));
  };
  const poll = setInterval(wake, listenUrl === null ? 250 : 2_000).unref();
  const listener = listenUrl === null ? null : listenTo({ connectionString: listenUrl, channel: toldChannel, onWake: wake, onError });

  const wait: Seat['wait'] = (feed, { ms, signal }) =>
    new Promise((resolve) => {
      if (closing) return resolve('closing');
      if (signal.aborted) return resolve('left');
      const settle = (outcome: Waited): void => {
        clearTimeout(deadline);
        signal.removeEventListener('abort', leave);
        waiting.delete(one);
        resolve(outcome);
      };
      const leave = (): void => settle('left');
      const deadline = setTimeout(() => settle('time'), ms);
      const one: Waiting = { feed, settle };
      signal.addEventListener('abort', leave);
      waiting.add(one);
      // Something may have been told since the caller read.
      wake();
    });
  const close = (): void => {
    closing = true;
    clearInterval(poll);
    if (timer !== null) clearTimeout(timer);
    for (const { settle } of waiting) settle('closing');
  };

  return {
    enter: (caller) => {
      const own = seats.get(caller) ?? 0;
      if (own >= mostOfOne) throw waitingTooOften(mostOfOne);
      if (taken >= most) throw waitingRoomFull();
      seats.set(caller, own + 1);
      taken += 1;
      let isTaken = true;
      return {
        wait,
        leave: () => {
          if (!isTaken) return;
          isTaken = false;
          taken -= 1;
          const left = (seats.get(caller) ?? 1) - 1;
          if (left === 0) seats.delete(caller);
          else seats.set(caller, left);
        },
      };
    },
    isClosing: () => closing,
    close,
    stop: async () => {
      close();
      await listener?.stop();
    },
  };
};
