import { type Authority, createAuthority, noAuthority } from './authority.ts';
import type { Checkpoint, LogIdentity } from './checkpoint.ts';
import { createFrontier } from './frontier.ts';
import type { Tile, TileReader } from './tile.ts';
import { emptyRoot, hashLeaf, isSameHash } from './tree-hash.ts';
import {
  bySize,
  type Equivocation,
  findClash,
  isRead,
  meet,
  type Progress,
  type RefusedCheckpoint,
  readAll,
  type Signed,
} from './trusted-checkpoints.ts';

/** An event as the log has it now: the leaf of its row, or that leaf's hash. */
export type LoggedEvent =
  | { readonly position: number; readonly leaf: Uint8Array }
  | { readonly position: number; readonly leafHash: Uint8Array };

/**
 * What became of a log that was read again. Positions count from 1. `distrusted` is a tile that was served and is not of the tree that
 * was signed: from there on no tile was compared with.
 */
export type LogVerification =
  /** The events up to this size are those of every checkpoint given. Events after it were not looked at. */
  | { readonly kind: 'verified'; readonly size: number; readonly root: Uint8Array; readonly distrusted: Tile | null }
  | RefusedCheckpoint
  | Equivocation
  /** This event is not the one that was logged; those before it are. */
  | { readonly kind: 'event_differs'; readonly position: number; readonly logged: Uint8Array; readonly found: Uint8Array }
  /** There are later events, but not this one. */
  | { readonly kind: 'position_missing'; readonly position: number }
  /** An event came at or below the position of the one before it. */
  | { readonly kind: 'order'; readonly position: number; readonly after: number }
  /** Something differs among the events after the one position and up to the other, which is as exact as the hashes at hand allow. */
  | { readonly kind: 'history_differs'; readonly after: number; readonly upTo: number; readonly distrusted: Tile | null }
  | { readonly kind: 'too_short'; readonly size: number; readonly expected: number };

/** A checkpoint of which the claimed tree is no growth. */
const findBranch = async (checkpoints: Signed, claimed: Checkpoint, authority: Authority): Promise<LogVerification | null> => {
  for (const first of checkpoints.filter(({ size }) => size > 0 && size < claimed.size)) {
    const root = await authority.rootAt(first.size);
    if (root !== null && !isSameHash(root, first.root)) return { kind: 'equivocation', first, second: claimed };
  }
  return null;
};

const missedHistory = ({ missed }: Progress, distrusted: Tile | null): LogVerification | null =>
  missed === null ? null : { kind: 'history_differs', after: missed.after, upTo: missed.checkpoint.size, distrusted };

type Reading = { readonly events: AsyncIterable<LoggedEvent>; readonly checkpoints: Signed; readonly authority: Authority };

const readThrough = async ({ events, checkpoints, authority }: Reading): Promise<LogVerification> => {
  const frontier = createFrontier({ size: 0, hashes: [] });
  const progress: Progress = { good: 0, missed: null };
  const end = checkpoints.at(-1)?.size ?? 0;
  const reachedAt = (size: number): Signed => checkpoints.filter((checkpoint) => checkpoint.size === size);
  const sizes = new Set(checkpoints.map(({ size }) => size));
  const unless = (fault: LogVerification): LogVerification => missedHistory(progress, authority.distrusted()) ?? fault;

  const clash = meet(progress, reachedAt(0), emptyRoot());
  if (clash !== null) return clash;
  if (end > 0) {
    for await (const event of events) {
      const index = frontier.size();
      if (event.position > index + 1) return unless({ kind: 'position_missing', position: index + 1 });
      if (event.position !== index + 1) return unless({ kind: 'order', position: event.position, after: index });
      const found = 'leaf' in event ? hashLeaf(event.leaf) : event.leafHash;
      const logged = await authority.hashOf(index);
      if (logged !== null) {
        if (!isSameHash(logged, found)) return unless({ kind: 'event_differs', position: event.position, logged, found });
        if (progress.missed === null) progress.good = index + 1;
      }
      frontier.append(found);
      if (sizes.has(index + 1)) {
        const met = meet(progress, reachedAt(index + 1), frontier.root());
        if (met !== null) return met;
      }
      if (index + 1 === end) break;
    }
  }
  if (frontier.size() < end) return unless({ kind: 'too_short', size: frontier.size(), expected: end });
  return unless({ kind: 'verified', size: end, root: frontier.root(), distrusted: authority.distrusted() });
};

/**
 * Reads a log again and says whether it is the one that was signed, and where not, as exactly as can be known: to the event where tiles
 * of the claimed tree can be compared with, else to the stretch between two checkpoints. Memory does not grow with the log.
 *
 * @param audit.events from the first on, in the order of their positions.
 * @param audit.trusted signed checkpoints that the auditor kept.
 * @param audit.claimed the newest checkpoint of the log, and its tiles: they are believed only as far as they hash to its root.
 * @throws RangeError when there is no checkpoint at all; whatever the readers reject with.
 */
export const verifyLog = async (audit: {
  readonly events: AsyncIterable<LoggedEvent>;
  readonly log: LogIdentity;
  readonly trusted: readonly string[];
  readonly claimed?: { readonly checkpoint: string; readonly readTile?: TileReader };
}): Promise<LogVerification> => {
  const { events, log, trusted, claimed } = audit;
  const kept = readAll(trusted, log);
  const newest = readAll(claimed === undefined ? [] : [claimed.checkpoint], log);
  if (!isRead(kept)) return kept;
  if (!isRead(newest)) return newest;
  const [claim] = newest;
  const checkpoints = [...kept, ...newest].sort(bySize);
  if (checkpoints.length === 0) throw new RangeError('a log is verified against at least one checkpoint');
  const clash = findClash(checkpoints);
  if (clash !== null || claim === undefined) return clash ?? readThrough({ events, checkpoints, authority: noAuthority });
  const authority = claimed?.readTile === undefined ? noAuthority : createAuthority(claim, claimed.readTile);
  return (await findBranch(checkpoints, claim, authority)) ?? readThrough({ events, checkpoints, authority });
};
