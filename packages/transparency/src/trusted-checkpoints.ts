import { type Checkpoint, type CheckpointRefusal, type LogIdentity, readCheckpoint } from './checkpoint.ts';
import { isSameHash } from './tree-hash.ts';

export type RefusedCheckpoint = { readonly kind: 'checkpoint_refused'; readonly signed: string; readonly reason: CheckpointRefusal };

/** The log's key has signed two histories: the proof of it are these two checkpoints. */
export type Equivocation = { readonly kind: 'equivocation'; readonly first: Checkpoint; readonly second: Checkpoint };

/** Checkpoints whose signatures have been verified. */
export type Signed = readonly Checkpoint[];

export const bySize = (one: Checkpoint, other: Checkpoint): number => one.size - other.size;

/** Reads checkpoints, in their order, or says which of them is not this log's. */
export const readAll = (texts: readonly string[], log: LogIdentity): Signed | RefusedCheckpoint => {
  const read: Checkpoint[] = [];
  for (const signed of texts) {
    const reading = readCheckpoint(signed, log);
    if (reading.outcome === 'refused') return { kind: 'checkpoint_refused', signed, reason: reading.reason };
    read.push(reading.checkpoint);
  }
  return read;
};

export const isRead = (read: Signed | RefusedCheckpoint): read is Signed => Array.isArray(read);

/** Two checkpoints of one size that differ, among some in the order of their sizes. */
export const findClash = (checkpoints: Signed): Equivocation | null => {
  for (const [at, second] of checkpoints.entries()) {
    const first = checkpoints[at - 1];
    if (first?.size === second.size && !isSameHash(first.root, second.root)) return { kind: 'equivocation', first, second };
  }
  return null;
};

/** What has been found so far on the way through a log. */
export type Progress = {
  /** The leaves up to here are known to be those that were signed. */
  good: number;
  /** The first checkpoint that the leaves did not lead to. */
  missed: { readonly after: number; readonly checkpoint: Checkpoint } | null;
};

/** Compares with each checkpoint of this size. A log that misses one and meets a later one shows that not both can be true. */
export const meet = (progress: Progress, reached: Signed, root: Uint8Array): Equivocation | null => {
  for (const checkpoint of reached) {
    const isMet = isSameHash(checkpoint.root, root);
    if (isMet && progress.missed !== null) return { kind: 'equivocation', first: progress.missed.checkpoint, second: checkpoint };
    if (isMet) progress.good = Math.max(progress.good, checkpoint.size);
    else progress.missed ??= { after: progress.good, checkpoint };
  }
  return null;
};
