import type { Checkpoint, LogIdentity } from '../checkpoint.ts';
import { bySize, findClash, isRead, type RefusedCheckpoint, readAll } from '../trusted-checkpoints.ts';
import { type ExcerptHead, readHead } from './line.ts';
import type { ExcerptFault, ExcerptMisfit } from './misfit.ts';
import { createLineSplitter, longestLine } from './split-lines.ts';
import { createWalk, type Walk } from './walk.ts';

/** What became of an excerpt that was read. */
export type ExcerptVerification =
  /**
   * The events are those that were logged at their positions, and nothing else stands there. Of the kept checkpoints these were compared
   * with and fit; with the others it could not be compared, as they are larger than the excerpt's or within what it skips.
   */
  | {
      readonly kind: 'verified';
      readonly head: ExcerptHead;
      readonly checkpoint: Checkpoint;
      readonly events: number;
      readonly compared: readonly Checkpoint[];
      readonly uncompared: readonly Checkpoint[];
    }
  | RefusedCheckpoint
  | ExcerptMisfit;

type Begun = { readonly walk: Walk; readonly head: ExcerptHead; readonly own: Checkpoint };
type Verdict = ExcerptMisfit | RefusedCheckpoint;

const begin = (line: Uint8Array, log: LogIdentity, kept: readonly Checkpoint[]): Begun | Verdict => {
  const head = readHead(line);
  if (head === null) return atFirstLine('no_head');
  const read = readAll([head.checkpoint], log);
  if (!isRead(read)) return read;
  const checkpoints = [...kept, ...read].sort(bySize);
  // One was read, as one was given.
  const own = read[0] as Checkpoint;
  return findClash(checkpoints) ?? { walk: createWalk(head, own, checkpoints), head, own };
};

const atFirstLine = (fault: ExcerptFault): ExcerptMisfit => ({ kind: 'misfit', line: 1, after: 0, position: null, fault });

/**
 * Verifies an excerpt of a log by itself, in one pass and in memory that does not grow with it: that its events are those of the log that
 * the key signed, at their positions, each byte of them, and that nothing but what it skips stands between. Not that it has all events
 * that its `about` speaks of, nor what else its head says beside the checkpoint; the base is proved by the first event.
 *
 * @param audit.excerpt the bytes of the file, in pieces of any length.
 * @param audit.trusted signed checkpoints of the same log that the auditor kept.
 * @returns the verdict: the first thing that does not fit, where something does not.
 * @throws whatever the reader rejects with.
 * @see writeExcerpt
 */
export const verifyExcerpt = async (audit: {
  readonly excerpt: AsyncIterable<Uint8Array>;
  readonly log: LogIdentity;
  readonly trusted: readonly string[];
}): Promise<ExcerptVerification> => {
  const { excerpt, log, trusted } = audit;
  const kept = readAll(trusted, log);
  if (!isRead(kept)) return kept;
  const splitter = createLineSplitter();
  const reading: { begun: Begun | null } = { begun: null };
  const takeLine = (line: Uint8Array): Verdict | null => {
    if (reading.begun !== null) return reading.begun.walk.take(line);
    const begun = begin(line, log, kept);
    if ('kind' in begun) return begun;
    reading.begun = begun;
    return null;
  };
  const refuse = (fault: ExcerptFault): Verdict => reading.begun?.walk.refuse(fault) ?? atFirstLine(fault);
  for await (const piece of excerpt) {
    for (const line of splitter.take(piece)) {
      const verdict = line.byteLength > longestLine ? refuse('too_long') : takeLine(line);
      if (verdict !== null) return verdict;
    }
    if (splitter.rest() > longestLine) return refuse('too_long');
  }
  if (reading.begun === null) return atFirstLine('no_head');
  const { walk, head, own } = reading.begun;
  const verdict = splitter.rest() > 0 ? walk.refuse('cut_off') : walk.close();
  if (verdict !== null) return verdict;
  const compared = kept.filter(({ size }) => walk.stoodAt(size));
  const uncompared = kept.filter(({ size }) => !walk.stoodAt(size));
  return { kind: 'verified', head, checkpoint: own, events: walk.events(), compared, uncompared };
};
