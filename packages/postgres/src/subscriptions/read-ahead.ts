import type { PlatformId } from '@grantlog/eventsourcing';
import type pg from 'pg';
import { readOn, type Stretch } from '../log/read-on.ts';

/** So many events of a platform's log that follow a position. */
type From = { readonly platform: PlatformId; readonly after: number; readonly limit: number };

/**
 * Reads the next batch of a loop while it works on this one, for {@link consumeOnce}. Nothing is claimed by it and nothing depends on
 * it: a committed event never changes, so it is the same whenever it is read. Of use to one loop; holds one batch.
 */
export type ReadAhead = {
  /** Begins to read what follows a full batch, which went up to `through`, where the loop has come to it from the one before. */
  readonly follow: (batch: From, through: number) => void;
  /** What was read from there on; null where it was not, or could not be. */
  readonly take: (from: From) => Promise<Stretch | null>;
};

const isSame = (one: From | undefined, { platform, after, limit }: From): boolean =>
  one?.platform === platform && one.after === after && one.limit === limit;

export const createReadAhead = (pool: pg.Pool): ReadAhead => {
  let expected: From | undefined;
  let reading: (From & { readonly stretch: Promise<Stretch | null> }) | undefined;
  return {
    follow: (batch, through) => {
      const next = { ...batch, after: through };
      const isNextInRow = isSame(expected, batch);
      expected = next;
      if (!isNextInRow) return;
      // It stands in line for a connection before the claim that will wait for it, so neither holds the other up.
      reading = { ...next, stretch: readOn(pool, next).catch(() => null) };
    },
    take: async (from) => {
      const taken = reading;
      reading = undefined;
      if (taken === undefined || !isSame(taken, from)) return null;
      const stretch = await taken.stretch;
      // It may have been read before anything stood there.
      return stretch?.through === from.after ? null : stretch;
    },
  };
};
