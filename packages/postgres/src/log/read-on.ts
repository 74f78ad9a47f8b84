import type { PlatformId, RecordedEvent } from '@grantlog/eventsourcing';
import type pg from 'pg';
import { type ArchivedLeaf, readArchivedLeaves } from '../archive/archived-leaves.ts';
import { readEventsAfter } from './read-events.ts';

/** The log showed a hole or a step back: order is broken, and going on would skip events. */
export class LogOutOfOrder extends Error {
  override readonly name = 'LogOutOfOrder';
}

/** A stretch of a log without a gap: every position after the one it was asked for and up to `through` is in one of the two. */
export type Stretch = {
  readonly events: readonly RecordedEvent[];
  /** What was archived since. */
  readonly archived: readonly ArchivedLeaf[];
  readonly through: number;
};

/** Positions of one stretch where some are archived: their hashes are held at once. */
const widest = 20_000;

/**
 * Reads on in a platform's log, over whatever has been archived. Empty at its end.
 *
 * @param options.limit events at most
 * @throws LogOutOfOrder where a position is missing that no archive has, or an event stands where one was read already
 */
export const readOn = async (
  client: pg.Pool | pg.ClientBase,
  options: { readonly platform: PlatformId; readonly after: number; readonly limit: number },
): Promise<Stretch> => {
  const { platform, after } = options;
  const events = await readEventsAfter(client, options);
  const last = events.at(-1)?.position ?? after;
  const isWhole = events.every(({ position }, index) => position === after + index + 1);
  if (isWhole) return { events, archived: [], through: last };

  const through = Math.min(last, after + widest);
  const archived = await readArchivedLeaves(client, { platform, after, through });
  const near = events.filter(({ position }) => position <= through);
  const found = [...near, ...archived].map(({ position }) => position).sort((one, other) => one - other);
  for (let due = after + 1; due <= through; due += 1) {
    const position = found[due - after - 1] ?? events[near.length]?.position ?? through;
    if (position !== due) throw new LogOutOfOrder(`expected position ${due} of ${platform}, found ${position}`);
  }
  return { events: near, archived, through };
};
