import type { PlatformId, RecordedEvent } from '@grantlog/eventsourcing';
import type pg from 'pg';
import { type ArchivedLeaf, readArchivedLeaves } from '../archive/archived-leaves.ts';
import { readEventsAfter } from './read-events.ts';

/** The log showed a hole or a step back: order is broken, and going on would skip events. */
export class LogOutOfOrder extends Error {
  override readonly name = 'LogOutOfOrder';
}

/** A stretch of a log: the events after the position that it was asked for and up to `through`. */
export type Stretch = {
  readonly events: readonly RecordedEvent[];
  /** What was archived of it since. */
  readonly archived: readonly ArchivedLeaf[];
  readonly through: number;
};

/** Positions of one stretch where some are archived: their hashes are held at once. */
const widest = 20_000;

type From = { readonly platform: PlatformId; readonly after: number; readonly limit: number };

/**
 * Reads what comes next in a platform's log, and what was archived of it. Empty at its end.
 *
 * @param from.limit events at most
 */
export const readStretch = async (client: pg.Pool | pg.ClientBase, from: From): Promise<Stretch> => {
  const { platform, after } = from;
  const events = await readEventsAfter(client, from);
  const last = events.at(-1)?.position ?? after;
  if (last - after === events.length) return { events, archived: [], through: last };
  const through = Math.min(last, after + widest);
  return {
    events: events.filter(({ position }) => position <= through),
    archived: await readArchivedLeaves(client, { platform, after, through }),
    through,
  };
};

/**
 * Reads on in a platform's log, over whatever has been archived: every position up to `through` is in one of the two.
 *
 * @throws LogOutOfOrder where a position is missing that no archive has, or an event stands where one was read already
 */
export const readOn = async (client: pg.Pool | pg.ClientBase, from: From): Promise<Stretch> => {
  const stretch = await readStretch(client, from);
  const { events, archived, through } = stretch;
  const found = archived.length === 0 ? events : [...events, ...archived].sort((one, other) => one.position - other.position);
  let due = from.after + 1;
  for (const { position } of found) {
    if (position !== due) throw new LogOutOfOrder(`expected position ${due} of ${from.platform}, found ${position}`);
    due += 1;
  }
  if (due !== through + 1) throw new LogOutOfOrder(`expected position ${due} of ${from.platform}, found none up to ${through}`);
  return stretch;
};
