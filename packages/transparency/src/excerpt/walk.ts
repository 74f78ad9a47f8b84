import { sha256 } from '@grantlog/crypto';
import type { Checkpoint } from '../checkpoint.ts';
import { createFrontier } from '../frontier.ts';
import { readLeaf } from '../read-leaf.ts';
import { emptyRoot, hashLeaf, isSameHash } from '../tree-hash.ts';
import { completeSubtrees } from '../tree-shape.ts';
import { type Equivocation, meet, type Progress, type Signed } from '../trusted-checkpoints.ts';
import { type ExcerptHead, type ExcerptLine, readLine } from './line.ts';
import type { ExcerptFault, ExcerptMisfit } from './misfit.ts';

/** An excerpt on the way from its second line to its end. What it answers but null is the verdict, and ends the way. */
export type Walk = {
  readonly take: (bytes: Uint8Array) => ExcerptMisfit | null;
  /** A line that is not even read. */
  readonly refuse: (fault: ExcerptFault) => ExcerptMisfit;
  /** What is wrong after all lines, null where nothing is. */
  readonly close: () => ExcerptMisfit | null;
  readonly events: () => number;
  /** Whether the way led by this size, so that a checkpoint of it was compared. */
  readonly stoodAt: (size: number) => boolean;
};

type Differing = { readonly line: number; readonly index: number; readonly logged: Uint8Array; readonly found: Uint8Array };
type Event = Extract<ExcerptLine, { readonly kind: 'event' }>;
type Skip = Extract<ExcerptLine, { readonly kind: 'skip' }>;

const digestOf = (personal: Uint8Array): string => Buffer.from(sha256(personal)).toString('base64url');

/** Folds the lines of an excerpt into its tree, and compares with each checkpoint where it comes by. Memory: one hash for each bit of the size. */
export const createWalk = (head: ExcerptHead, own: Checkpoint, checkpoints: Signed): Walk => {
  const frontier = createFrontier({ size: 0, hashes: [] });
  const progress: Progress = { good: 0, missed: null };
  const ahead = Map.groupBy(checkpoints, ({ size }) => size);
  const stood = new Set<number>();
  let line = 1;
  let events = 0;
  let isEnded = false;
  let differing: Differing | null = null;

  const compare = (): Equivocation | null => {
    const size = frontier.size();
    const reached = ahead.get(size);
    if (reached === undefined) return null;
    stood.add(size);
    return meet(progress, reached, size === 0 ? emptyRoot() : frontier.root());
  };
  /** What came first, where something did before this. */
  const unless = <Verdict extends ExcerptMisfit | null>(verdict: Verdict): ExcerptMisfit | Verdict => {
    const { missed, good } = progress;
    if (differing !== null && (missed === null || differing.index < missed.checkpoint.size)) {
      const { index, ...rest } = differing;
      return { kind: 'event_differs', ...rest, position: head.base + index + 1, isSigned: index < good };
    }
    if (missed === null) return verdict;
    return { kind: 'history_differs', after: head.base + missed.after, upTo: head.base + missed.checkpoint.size };
  };
  const misfit = (fault: ExcerptFault, index: number | null = null): ExcerptMisfit => {
    const position = index === null ? null : head.base + index + 1;
    return unless({ kind: 'misfit', line, after: head.base + frontier.size(), position, fault });
  };

  const takeEvent = ({ leaf, hash, personal }: Event): ExcerptMisfit | null => {
    const index = frontier.size();
    const reading = readLeaf(leaf);
    const found = hashLeaf(leaf);
    // A leaf that is none is named by its place, as its hash says what should stand there.
    if (reading.outcome === 'refused') return misfit(reading.reason, index);
    const { event } = reading;
    const says = event.position - head.base - 1;
    if (says !== index) return misfit('order', says);
    if (index >= own.size) return misfit('beyond_checkpoint', index);
    if (event.platform !== head.platform) return misfit('other_platform', index);
    if (!isSameHash(found, hash)) differing ??= { line, index, logged: Uint8Array.from(hash), found };
    else if (personal !== null && digestOf(personal) !== event.personalDigest) return misfit('personal_differs', index);
    events += 1;
    frontier.append(hash);
    return compare();
  };
  const takeSkip = ({ span, hashes }: Skip): ExcerptMisfit | null => {
    if (span.from !== frontier.size()) return misfit('order', span.from);
    if (span.to > own.size) return misfit('beyond_checkpoint', span.from);
    const nodes = completeSubtrees(span);
    if (nodes.length !== hashes.length) return misfit('hash_count', span.from);
    for (const [at, { height }] of nodes.entries()) {
      // There are as many as nodes.
      frontier.appendSubtree(height, hashes[at] as Uint8Array);
      const verdict = compare();
      if (verdict !== null) return verdict;
    }
    return null;
  };
  const takeEnd = (said: number): ExcerptMisfit | null => {
    isEnded = true;
    if (frontier.size() < own.size) return misfit('too_short');
    return said === events ? null : misfit('event_count');
  };

  // A checkpoint of nothing is passed before the first line. Two of one size that differ are told apart before the way begins.
  compare();
  return {
    take: (bytes) => {
      line += 1;
      if (isEnded) return misfit('after_end');
      const read = readLine(bytes);
      switch (read?.kind) {
        case undefined:
          return misfit('malformed');
        case 'event':
          return takeEvent(read);
        case 'skip':
          return takeSkip(read);
        case 'end':
          return takeEnd(read.events);
      }
    },
    refuse: (fault) => {
      line += 1;
      return misfit(fault);
    },
    close: () => {
      line += 1;
      return isEnded ? unless(null) : misfit('cut_off');
    },
    events: () => events,
    stoodAt: (size) => stood.has(size),
  };
};
